//! The scroll position of a page, relative to the last drawn frame.

use std::cell::Cell;

use crossterm::event::KeyCode;

/// The number of lines that stay visible when scrolling by a page.
const OVERLAP: usize = 2;

/// A scroll offset, relative to the position that shows the focus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrollState {
    offset: isize,
    viewport: Cell<Viewport>,
}

/// The part of the page that the last frame showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Viewport {
    /// The first visible line without scrolling.
    default_top: usize,
    /// The total number of lines.
    total_lines: usize,
    /// The number of visible lines.
    height: usize,
}

impl Viewport {
    fn max_top(self) -> usize {
        self.total_lines.saturating_sub(self.height)
    }
}

impl ScrollState {
    /// Scrolls back to the focus.
    pub fn reset(&mut self) {
        self.offset = 0;
    }

    /// Stores the viewport of the current frame: the first line that shows the focus, the number of lines, and the
    /// height. Returns the first line to draw.
    pub fn update_viewport(&self, default_top: usize, lines: usize, height: usize) -> usize {
        self.viewport.set(Viewport { default_top, total_lines: lines, height });
        self.top()
    }

    fn top(&self) -> usize {
        let viewport = self.viewport.get();
        viewport.default_top.saturating_add_signed(self.offset).min(viewport.max_top())
    }

    /// Returns whether there are more lines below.
    pub fn has_more_below(&self) -> bool {
        self.top() < self.viewport.get().max_top()
    }

    /// Returns whether all lines fit on the screen.
    pub fn fits_on_screen(&self) -> bool {
        self.viewport.get().max_top() == 0
    }

    /// Handles `PgDn` and `PgUp`. Returns whether the key was one of them.
    pub fn handle_page_key(&mut self, key: KeyCode) -> bool {
        let page = self.viewport.get().height.saturating_sub(OVERLAP).max(1);
        match key {
            KeyCode::PageDown => self.scroll_to(self.top().saturating_add(page)),
            KeyCode::PageUp => self.scroll_to(self.top().saturating_sub(page)),
            _ => return false,
        }
        true
    }

    /// Scrolls by this number of lines: down, or up if it is negative.
    pub fn scroll_by(&mut self, lines: isize) {
        self.scroll_to(self.top().saturating_add_signed(lines));
    }

    /// Scrolls to the last line of the next frame, which may have more lines than the last one.
    pub fn scroll_to_end(&mut self) {
        self.offset = isize::MAX;
    }

    /// Handles keys that scroll by line, by page, or to either end. Returns whether the key was one of them.
    pub fn handle_key(&mut self, key: KeyCode) -> bool {
        match key {
            KeyCode::Down => self.scroll_by(1),
            KeyCode::Up => self.scroll_by(-1),
            KeyCode::Home => self.scroll_to(0),
            KeyCode::End => self.scroll_to(usize::MAX),
            _ => return self.handle_page_key(key),
        }
        true
    }

    fn scroll_to(&mut self, top: usize) {
        let viewport = self.viewport.get();
        let line = |number: usize| isize::try_from(number).unwrap_or(isize::MAX);
        self.offset = line(top.min(viewport.max_top())) - line(viewport.default_top);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_keys_scroll_by_the_height_minus_the_overlap() {
        let mut scroll = ScrollState::default();
        assert_eq!(scroll.update_viewport(0, 50, 20), 0);
        assert!(scroll.has_more_below() && !scroll.fits_on_screen());
        for (key, top) in [
            (KeyCode::PageDown, 18),
            (KeyCode::Down, 19),
            (KeyCode::PageDown, 30),
            (KeyCode::PageDown, 30),
            (KeyCode::PageUp, 12),
            (KeyCode::End, 30),
            (KeyCode::Up, 29),
            (KeyCode::Home, 0),
            (KeyCode::Up, 0),
        ] {
            assert!(scroll.handle_key(key));
            assert_eq!(scroll.update_viewport(0, 50, 20), top, "{key:?}");
        }
        assert!(!scroll.handle_key(KeyCode::Enter) && !scroll.handle_page_key(KeyCode::Down));
    }

    #[test]
    fn scrolling_above_the_focus_resets_to_the_focus() {
        let mut scroll = ScrollState::default();
        scroll.update_viewport(30, 60, 10);
        scroll.handle_page_key(KeyCode::PageUp);
        assert_eq!(scroll.update_viewport(30, 60, 10), 22);
        scroll.handle_page_key(KeyCode::PageUp);
        scroll.handle_page_key(KeyCode::PageUp);
        scroll.handle_page_key(KeyCode::PageUp);
        assert_eq!(scroll.update_viewport(30, 60, 10), 0);
        scroll.reset();
        assert_eq!(scroll.update_viewport(30, 60, 10), 30);
    }

    #[test]
    fn growing_the_screen_shows_no_blank_lines() {
        let mut scroll = ScrollState::default();
        scroll.update_viewport(0, 50, 20);
        scroll.handle_key(KeyCode::End);
        assert_eq!(scroll.update_viewport(0, 50, 45), 5);
        assert_eq!(scroll.update_viewport(0, 50, 60), 0);
        assert!(scroll.fits_on_screen() && !scroll.has_more_below());
    }
}
