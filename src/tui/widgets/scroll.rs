//! How far a page is scrolled, by what the last frame showed of it.

use std::cell::Cell;

use crossterm::event::KeyCode;

/// Lines of the page before that stay in sight on the next one.
const OVERLAP: usize = 2;

/// How far one has scrolled from where the focus is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    moved: isize,
    seen: Cell<Seen>,
}

/// What the last frame showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// The first line when one has not scrolled.
    rest: usize,
    /// Lines that there are.
    lines: usize,
    /// Lines that are seen at a time.
    height: usize,
}

impl Seen {
    fn last_top(self) -> usize {
        self.lines.saturating_sub(self.height)
    }
}

impl Scroll {
    /// Goes back to where the focus is seen.
    pub fn reset(&mut self) {
        self.moved = 0;
    }

    /// Takes what is drawn now: the first line that shows the focus, how many lines there are, and how many are seen at a
    /// time. Returns the first line to draw.
    pub fn shown(&self, rest: usize, lines: usize, height: usize) -> usize {
        self.seen.set(Seen { rest, lines, height });
        self.top()
    }

    fn top(&self) -> usize {
        let seen = self.seen.get();
        seen.rest.saturating_add_signed(self.moved).min(seen.last_top())
    }

    /// Whether there is more below.
    pub fn has_more(&self) -> bool {
        self.top() < self.seen.get().last_top()
    }

    /// Whether all is seen at once.
    pub fn is_whole(&self) -> bool {
        self.seen.get().last_top() == 0
    }

    /// Takes `PgDn` or `PgUp`; whether it was one of them.
    pub fn press_page(&mut self, key: KeyCode) -> bool {
        let page = self.seen.get().height.saturating_sub(OVERLAP).max(1);
        match key {
            KeyCode::PageDown => self.go(self.top().saturating_add(page)),
            KeyCode::PageUp => self.go(self.top().saturating_sub(page)),
            _ => return false,
        }
        true
    }

    /// Takes a key that scrolls where nothing else has the focus: by line, by page, or to an end. Whether it was one.
    pub fn press(&mut self, key: KeyCode) -> bool {
        match key {
            KeyCode::Down => self.go(self.top().saturating_add(1)),
            KeyCode::Up => self.go(self.top().saturating_sub(1)),
            KeyCode::Home => self.go(0),
            KeyCode::End => self.go(usize::MAX),
            _ => return self.press_page(key),
        }
        true
    }

    fn go(&mut self, top: usize) {
        let seen = self.seen.get();
        let line = |number: usize| isize::try_from(number).unwrap_or(isize::MAX);
        self.moved = line(top.min(seen.last_top())) - line(seen.rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_keys_scroll_by_the_height_minus_the_overlap() {
        let mut scroll = Scroll::default();
        assert_eq!(scroll.shown(0, 50, 20), 0);
        assert!(scroll.has_more() && !scroll.is_whole());
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
            assert!(scroll.press(key));
            assert_eq!(scroll.shown(0, 50, 20), top, "{key:?}");
        }
        assert!(!scroll.press(KeyCode::Enter) && !scroll.press_page(KeyCode::Down));
    }

    #[test]
    fn scrolling_above_the_focus_resets_to_the_focus() {
        let mut scroll = Scroll::default();
        scroll.shown(30, 60, 10);
        scroll.press_page(KeyCode::PageUp);
        assert_eq!(scroll.shown(30, 60, 10), 22);
        scroll.press_page(KeyCode::PageUp);
        scroll.press_page(KeyCode::PageUp);
        scroll.press_page(KeyCode::PageUp);
        assert_eq!(scroll.shown(30, 60, 10), 0);
        scroll.reset();
        assert_eq!(scroll.shown(30, 60, 10), 30);
    }

    #[test]
    fn growing_the_screen_shows_no_blank_lines() {
        let mut scroll = Scroll::default();
        scroll.shown(0, 50, 20);
        scroll.press(KeyCode::End);
        assert_eq!(scroll.shown(0, 50, 45), 5);
        assert_eq!(scroll.shown(0, 50, 60), 0);
        assert!(scroll.is_whole() && !scroll.has_more());
    }
}
