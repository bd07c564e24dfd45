//! C as lines that know how deep they are nested, indented when they are printed.
//!
//! What a block begins with is often known only where it ends. A line can therefore be put behind an earlier one: the
//! lines are a linked list, none is ever moved, and writing takes time in proportion to what is written.

/// A place in the code: behind a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(u32);

/// How a line changes the depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Stay,
    /// What follows is one deeper.
    Open,
    /// It is one less deep than what came before, as what follows.
    Close,
    /// It is one less deep than what comes before and after it.
    Turn,
    /// It stands at the left margin.
    Label,
}

struct Line {
    /// Where its text ends; it begins where that of the line before in `lines` ends.
    end: u32,
    /// The line behind it, 0 for none.
    next: u32,
    step: Step,
}

pub(crate) struct Code {
    /// The text of all lines.
    text: String,
    /// In the order in which they were written. The first is the empty line before all others.
    lines: Vec<Line>,
    last: u32,
}

impl Code {
    pub fn new() -> Code {
        let before = Line { end: 0, next: 0, step: Step::Stay };
        Code { text: String::new(), lines: vec![before], last: 0 }
    }

    /// Behind the last line.
    pub fn end(&self) -> Place {
        Place(self.last)
    }

    /// Bytes that were written.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// Puts a line behind `place`: the place behind that. A line without text only changes the depth.
    pub fn insert(&mut self, place: Place, step: Step, text: &str) -> Place {
        let new = self.lines.len() as u32;
        self.text.push_str(text);
        let next = std::mem::replace(&mut self.lines[place.0 as usize].next, new);
        self.lines.push(Line { end: self.text.len() as u32, next, step });
        if next == 0 {
            self.last = new;
        }
        Place(new)
    }

    /// Puts a line behind all others.
    pub fn push(&mut self, step: Step, text: impl AsRef<str>) {
        self.insert(self.end(), step, text.as_ref());
    }

    /// Takes away what is behind `place`.
    pub fn cut(&mut self, place: Place) {
        self.lines[place.0 as usize].next = 0;
        self.last = place.0;
    }

    /// The lines in their order.
    fn lines(&self) -> impl Iterator<Item = (Step, &str)> {
        let next = |at: u32| Some(self.lines[at as usize].next).filter(|next| *next != 0);
        std::iter::successors(next(0), move |at| next(*at)).map(|at| {
            let at = at as usize;
            let text = self.lines[at - 1].end as usize..self.lines[at].end as usize;
            (self.lines[at].step, &self.text[text])
        })
    }

    /// Whether `text` is in some line.
    pub fn contains(&self, text: &str) -> bool {
        self.lines().any(|(_, line)| line.contains(text))
    }

    /// Writes it, `depth` deep.
    pub fn print(&self, mut depth: usize, c: &mut String) {
        for (step, text) in self.lines() {
            if matches!(step, Step::Close | Step::Turn) {
                depth -= 1;
            }
            if !text.is_empty() {
                if step != Step::Label {
                    c.extend(std::iter::repeat_n("    ", depth));
                }
                c.push_str(text);
                c.push('\n');
            }
            if matches!(step, Step::Open | Step::Turn) {
                depth += 1;
            }
        }
    }
}

/// Lines of text, one deeper.
pub(crate) fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_indented_where_they_end_up() {
        let mut code = Code::new();
        code.push(Step::Stay, "a;");
        let head = code.end();
        code.push(Step::Stay, "b;");
        let rest = code.end();
        code.push(Step::Stay, "gone;");
        code.cut(rest);
        let head = code.insert(head, Step::Label, "L1:;");
        code.insert(head, Step::Open, "do {");
        code.push(Step::Turn, "} else {");
        code.push(Step::Open, "");
        code.push(Step::Stay, "c;");
        code.push(Step::Close, "");
        code.push(Step::Close, "}");
        let mut text = String::new();
        code.print(1, &mut text);
        assert_eq!(text, "    a;\nL1:;\n    do {\n        b;\n    } else {\n            c;\n    }\n");
    }
}
