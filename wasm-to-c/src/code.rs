//! C as lines, indented by how deep they are nested.

/// C that is written line by line.
pub(crate) struct Code {
    text: String,
    depth: usize,
}

impl Code {
    /// Nothing yet; the first line is `depth` deep.
    pub fn new(depth: usize) -> Code {
        Code { text: String::new(), depth }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn line(&mut self, text: impl AsRef<str>) {
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
}
