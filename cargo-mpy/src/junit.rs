//! Results of tests in JUnit's XML, as GitHub's and GitLab's readers take it
//! (<https://docs.gitlab.com/ci/testing/unit_test_reports/>).

use std::fmt::{self, Display, Formatter};

/// The results of a command.
#[derive(Debug, Default)]
pub struct Report {
    pub suites: Vec<Suite>,
}

/// Tests that ran together on one machine.
#[derive(Debug, Default)]
pub struct Suite {
    pub name: String,
    /// The class of its tests, by which readers group them.
    pub class: String,
    pub seconds: f64,
    pub cases: Vec<Case>,
}

/// A test.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub seconds: f64,
    pub outcome: Outcome,
}

/// The result of a test.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// With what it printed.
    Failed(String),
    /// With the reason.
    Ignored(String),
    /// The tests could not run, for this reason.
    Error(String),
}

/// The numbers of tests in a suite or a report, and their time.
struct Counts<'a>(&'a [Suite]);

impl Display for Counts<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let count = |is_it: fn(&Outcome) -> bool| {
            let cases = self.0.iter().flat_map(|suite| &suite.cases);
            cases.filter(|case| is_it(&case.outcome)).count()
        };
        let seconds: f64 = self.0.iter().map(|suite| suite.seconds).sum();
        write!(
            f,
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{seconds:.3}\"",
            count(|_| true),
            count(|outcome| matches!(outcome, Outcome::Failed(_))),
            count(|outcome| matches!(outcome, Outcome::Error(_))),
            count(|outcome| matches!(outcome, Outcome::Ignored(_))),
        )
    }
}

/// Text in XML 1.0, which lacks most control characters, even as references.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                // In attributes, they would become spaces.
                '\n' | '\t' => write!(f, "&#{};", u32::from(c))?,
                '\0'..=' ' if c != ' ' => write!(f, "\\x{:02x}", u32::from(c))?,
                '\u{fffe}' | '\u{ffff}' => f.write_str("\u{fffd}")?,
                _ => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(f, "<testsuites name=\"cargo mpy test\" {}>", Counts(&self.suites))?;
        for suite in &self.suites {
            let counts = Counts(std::slice::from_ref(suite));
            writeln!(f, "  <testsuite name=\"{}\" {counts}>", Escaped(&suite.name))?;
            for case in &suite.cases {
                let (name, class) = (Escaped(&case.name), Escaped(&suite.class));
                write!(
                    f,
                    "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{:.3}\"",
                    case.seconds
                )?;
                let (tag, text) = match &case.outcome {
                    Outcome::Passed => {
                        writeln!(f, "/>")?;
                        continue;
                    }
                    Outcome::Ignored(why) => {
                        writeln!(f, "><skipped message=\"{}\"/></testcase>", Escaped(why))?;
                        continue;
                    }
                    Outcome::Failed(text) => ("failure", text),
                    Outcome::Error(text) => ("error", text),
                };
                let message = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
                writeln!(f, "><{tag} message=\"{}\">{}</{tag}></testcase>", Escaped(message), Escaped(text))?;
            }
            writeln!(f, "  </testsuite>")?;
        }
        writeln!(f, "</testsuites>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_xml_whatever_tests_print() {
        let case = |name: &str, outcome| Case { name: name.to_owned(), seconds: 0.5, outcome };
        let cases = vec![
            case("a::<b>", Outcome::Passed),
            case("c", Outcome::Failed("\n\u{1b}[1m\"x\" & ]]>\0\u{ffff}\n".to_owned())),
            case("d", Outcome::Ignored("ignored, takes\tlong".to_owned())),
            case("e", Outcome::Error("no answer".to_owned())),
        ];
        let suite = Suite { name: "s on \"unix\"".to_owned(), class: "m.s".to_owned(), seconds: 2.0, cases };
        let report = Report { suites: vec![suite] };
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="cargo mpy test" tests="4" failures="1" errors="1" skipped="1" time="2.000">
  <testsuite name="s on &quot;unix&quot;" tests="4" failures="1" errors="1" skipped="1" time="2.000">
    <testcase name="a::&lt;b&gt;" classname="m.s" time="0.500"/>
    <testcase name="c" classname="m.s" time="0.500"><failure message="\x1b[1m&quot;x&quot; &amp; ]]&gt;\x00�">&#10;\x1b[1m&quot;x&quot; &amp; ]]&gt;\x00�&#10;</failure></testcase>
    <testcase name="d" classname="m.s" time="0.500"><skipped message="ignored, takes&#9;long"/></testcase>
    <testcase name="e" classname="m.s" time="0.500"><error message="no answer">no answer</error></testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(report.to_string(), expected);
    }
}
