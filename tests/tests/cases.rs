//! Every file of `cases/` on every board that runs on this machine.
//!
//! `BLESS=1` rewrites expectations from what the host's MicroPython prints; the boards must then agree.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Failed, Trial};
use target_specs::Board;
use tests::{Case, blessing, board, outputs, session};

/// What each case printed on one board, or why the board said nothing.
type Session = Result<BTreeMap<String, String>, String>;

fn main() {
    let arguments = tests::arguments();
    let cases = Arc::new(tests::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")));
    if blessing() {
        bless(&cases);
    }
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        if let Some(why) = &why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
        // All cases of a board share one session: starting it costs more than running them.
        let shared: Arc<OnceLock<Session>> = Arc::default();
        for index in 0..cases.len() {
            let (cases, shared) = (Arc::clone(&cases), Arc::clone(&shared));
            let name = format!("{}::{}", board.name, cases[index].name);
            let trial = Trial::test(name, move || {
                let session = shared.get_or_init(|| play(board, &cases));
                check(&cases[index], session)
            });
            trials.push((index, trial.with_ignored_flag(why_not.is_some())));
        }
    }
    // Neighbours are on different boards, so that threads do not wait for one session.
    trials.sort_by_key(|(index, _)| *index);
    let trials = trials.into_iter().map(|(_, trial)| trial).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

/// Builds all cases for a board and runs them there.
fn play(board: &'static Board, cases: &[Case]) -> Session {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut modules = Vec::new();
    for case in cases {
        let mpy = board::build(&case.write(folder.path()), board, &folder.path().join("target"))
            .map_err(|error| format!("{}: {error}", case.name))?;
        modules.push((format!("{}.mpy", case.name), mpy));
    }
    match board::execute(board, &modules, &session(cases)) {
        Ok(text) => Ok(outputs(&text).into_iter().collect()),
        // What came before the failure still counts.
        Err(text) => {
            let mut found: BTreeMap<String, String> = outputs(&text).into_iter().collect();
            found.insert(String::new(), text);
            Ok(found)
        }
    }
}

fn check(case: &Case, session: &Session) -> Result<(), Failed> {
    let printed = session.as_ref().map_err(|error| Failed::from(error.clone()))?;
    match printed.get(&case.name) {
        Some(output) if *output == case.expect => Ok(()),
        Some(output) => {
            Err(format!("{}\n--- expected\n{}--- printed\n{output}", case.path.display(), case.expect).into())
        }
        None => {
            let rest = printed.get("").map_or("the session ended early", String::as_str);
            Err(format!("{} did not end:\n{rest}", case.path.display()).into())
        }
    }
}

fn bless(cases: &[Case]) {
    let Some((host, None)) = board::boards().into_iter().find(|(board, _)| board.name == "unix") else {
        panic!("BLESS=1 needs MicroPython on this machine");
    };
    for (name, output) in play(host, cases).expect("a session") {
        if let Some(case) = cases.iter().find(|case| case.name == name)
            && case.expect != output
        {
            case.bless(&output);
        }
    }
}
