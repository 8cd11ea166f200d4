//! Help for the focused field, and a live preview of what *Finish* will create. They share the pane at the right of wide
//! screens; on narrow ones, the preview is a dialog.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Wizard;
use crate::create_key::account_state::AccountState;
use crate::create_key::field::Field;
use crate::create_key::preview::{Preview, PreviewSection, changes::changed_lines};
use crate::text::highlight::Language;
use crate::tui::keymap::PREVIEW_KEY;
use crate::tui::text_view::TextView;
use crate::tui::theme;
use crate::tui::widgets::canvas::{Canvas, Click};
use crate::tui::widgets::code_view::CodeView;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;

/// The minimum width of a screen with the pane, in columns.
pub const MIN_INFO_WIDTH: u16 = 150;

/// A tab of the pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InfoTab {
    /// Help for the focused field.
    #[default]
    Help,
    /// The preview of what *Finish* will create.
    Preview,
}

impl Wizard {
    /// Shows the other tab of the pane. Returns whether it is the preview.
    pub fn toggle_preview(&mut self) -> bool {
        self.info_tab = match self.info_tab {
            InfoTab::Help => InfoTab::Preview,
            InfoTab::Preview => InfoTab::Help,
        };
        self.info_tab == InfoTab::Preview
    }

    /// Draws the pane.
    pub(super) fn draw_info(&self, account: &AccountState, canvas: &mut Canvas, area: Rect) {
        let inner = Container::new("").draw(canvas, area);
        draw_tabs(self.info_tab, canvas, Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area });
        let mut view = ScrollView::new(inner.width);
        match self.info_tab {
            InfoTab::Help => self.write_help(&mut view),
            InfoTab::Preview => self.write_preview(&mut view, account, true),
        }
        view.draw(canvas, inner);
    }

    fn write_help(&self, view: &mut ScrollView) {
        let field = self.focused_field();
        view.paragraph(field.map_or(self.step.title(), Field::short_label), 1, theme::HEADING);
        view.blank_line();
        view.paragraph(field.map_or(self.step.intro(), Field::help), 1, theme::TEXT);
        view.blank_line();
        view.paragraph(field.map_or("", Field::hint), 1, theme::SECONDARY);
    }

    /// Returns the preview, to show it on the whole screen.
    pub fn preview_text(&self, account: &AccountState) -> TextView {
        let preview = Preview::new(&self.draft, account, &self.submission);
        let sections = preview.sections.iter().map(|section| (section.title, section.language, section.text.as_str()));
        TextView::of_sections("preview", sections)
    }

    /// Writes the preview. If it `follows_changes`, lines that changed since the focus moved to its field are marked and
    /// visible.
    pub fn write_preview(&self, view: &mut ScrollView, account: &AccountState, follows_changes: bool) {
        let preview = Preview::new(&self.draft, account, &self.submission);
        let before = if self.draft == self.draft_at_focus || !follows_changes {
            preview.clone()
        } else {
            Preview::new(&self.draft_at_focus, account, &self.submission)
        };
        for (section, before) in preview.sections.iter().zip(&before.sections) {
            let changes = changed_lines(&before.text, &section.text);
            view.heading(section.title);
            write_section(view, section, &changes);
        }
    }
}

fn write_section(view: &mut ScrollView, section: &PreviewSection, changes: &[usize]) {
    if section.language != Language::Words {
        CodeView::new(section.language, &section.text).with_changes(changes).write(view);
        return;
    }
    for (number, sentence) in section.text.lines().enumerate() {
        let is_changed = changes.contains(&(number + 1));
        view.focused(is_changed, |view| {
            view.paragraph(&format!("• {sentence}"), 2, if is_changed { theme::HEADING } else { theme::TEXT });
        });
    }
}

/// Draws the titles of the tabs into the border of the pane.
fn draw_tabs(shown: InfoTab, canvas: &mut Canvas, area: Rect) {
    let mut x = area.x;
    for (title, tab) in [(" Info ", InfoTab::Help), (" Preview ", InfoTab::Preview)] {
        let is_shown = tab == shown;
        let width = u16::try_from(title.len()).unwrap_or(u16::MAX);
        let place = Rect { x, width, height: 1, ..area };
        let style = ratatui::style::Style::reset().patch(if is_shown { theme::PRIMARY } else { theme::TEXT });
        canvas.line(&Line::from(Span::styled(title, style)), place);
        if !is_shown {
            canvas.on_click(place, Click::Key(PREVIEW_KEY.into()));
        }
        x = x.saturating_add(width + 1);
    }
}
