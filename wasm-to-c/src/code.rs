//! C as lines, indented by how deep they are nested.

/// Stands for the directive that gives the next line its own place in the C again, which is known once all is written.
const OWN_LINE: &str = "#line\n";

/// C that is written line by line.
pub(crate) struct Code {
    text: String,
    depth: usize,
    /// The directive that says where the lines are from.
    place: Option<String>,
    /// Whether the next line has a place that is not its own.
    is_placed: bool,
}

impl Code {
    /// Nothing yet; the first line is `depth` deep.
    pub fn new(depth: usize) -> Code {
        Code { text: String::new(), depth, place: None, is_placed: false }
    }

    /// What is written next is from the line of the source that a directive names, or from none.
    pub fn set_place(&mut self, directive: Option<String>) {
        self.place = directive;
    }

    /// Writes the directive for the next line. Lines are numbered on, so that each one needs its own.
    fn put_place(&mut self) {
        match &self.place {
            Some(directive) => self.text.push_str(directive),
            None if self.is_placed => self.text.push_str(OWN_LINE),
            None => {}
        }
        self.is_placed = self.place.is_some();
    }

    /// What is written next has its own place.
    pub fn end_place(&mut self) {
        self.place = None;
        self.put_place();
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn line(&mut self, text: impl AsRef<str>) {
        self.put_place();
        self.text.extend(std::iter::repeat_n("    ", self.depth));
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }

    /// A label, at the left margin.
    pub fn label(&mut self, text: impl std::fmt::Display) {
        self.text.push_str(&format!("{text};\n"));
    }

    /// A line behind which everything is one deeper.
    pub fn open(&mut self, text: impl AsRef<str>) {
        self.line(text);
        self.indent();
    }

    /// A line that is one less deep than those before, as those behind.
    pub fn close(&mut self, text: impl AsRef<str>) {
        self.dedent();
        self.line(text);
    }

    pub fn indent(&mut self) {
        self.depth += 1;
    }

    pub fn dedent(&mut self) {
        self.depth -= 1;
    }
}

/// Text whose lines are all from the line of the source that a directive names.
pub(crate) fn placed(text: &str, directive: Option<&str>) -> String {
    let Some(directive) = directive else { return text.to_owned() };
    let lines: String = text.lines().map(|line| format!("{directive}{line}\n")).collect();
    lines + OWN_LINE
}

/// Completes the directives of C that becomes the file `name`, so that lines from nowhere else have their own numbers.
pub(crate) fn number_lines(text: &str, name: &str) -> String {
    let mut numbered = String::with_capacity(text.len());
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        match line {
            OWN_LINE => numbered.push_str(&format!("#line {} \"{name}\"\n", number + 1)),
            _ => numbered.push_str(line),
        }
    }
    numbered
}

/// Lines of text, one deeper.
pub(crate) fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_indented() {
        let mut code = Code::new(1);
        code.line("a;");
        code.label("L1:");
        code.open("do {");
        code.line("b;");
        code.close("} while (c);");
        assert_eq!(code.text(), "    a;\nL1:;\n    do {\n        b;\n    } while (c);\n");
    }

    #[test]
    fn every_line_has_its_place() {
        let mut code = Code::new(0);
        code.line("a;");
        code.set_place(Some("#line 7 \"x.rs\"\n".to_owned()));
        code.line("b;");
        code.line("c;");
        code.set_place(None);
        code.line("d;");
        code.end_place();
        let text = placed("f {\n", Some("#line 6 \"x.rs\"\n")) + code.text();
        let expected = "#line 6 \"x.rs\"\nf {\n#line 4 \"m.c\"\na;\n#line 7 \"x.rs\"\nb;\n#line 7 \"x.rs\"\nc;\n\
                        #line 10 \"m.c\"\nd;\n";
        assert_eq!(number_lines(&text, "m.c"), expected);
    }
}
