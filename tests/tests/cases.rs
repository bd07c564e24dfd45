//! Every file of `cases/` on every board that runs on this machine.
//!
//! `BLESS=1` rewrites expectations from what the host's MicroPython prints; the boards must then agree.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use cargo_mpy::options::BuildOptions;
use libtest_mimic::{Failed, Trial};
use target_specs::Board;
use tests::board::{self, Modules};
use tests::{Case, blessing, outputs, session};

/// What each case printed on one board, or why the board said nothing.
type Session = Result<BTreeMap<String, String>, String>;

fn main() {
    let arguments = tests::arguments();
    let cases = Arc::new(tests::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")));
    let boards = board::boards();
    let modules: Arc<Vec<Modules>> = {
        let here = boards.iter().filter(|(_, why_not)| why_not.is_none());
        let here: Vec<String> = here.map(|(board, _)| board.name.clone()).collect();
        Arc::new(cases.iter().map(|case| Modules::new(options(case), here.clone())).collect())
    };
    if blessing() {
        bless(&cases, &modules);
    }
    let mut trials = Vec::new();
    for (board, why_not) in boards {
        if let Some(why) = &why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
        // Cases of a board share few sessions: starting one costs more than running them.
        let shared: Arc<OnceLock<Session>> = Arc::default();
        for index in 0..cases.len() {
            let (cases, shared, modules) = (Arc::clone(&cases), Arc::clone(&shared), Arc::clone(&modules));
            let name = format!("{}::{}", board.name, cases[index].name);
            let trial = Trial::test(name, move || {
                let session = shared.get_or_init(|| play(board, &cases, &modules));
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

/// How a case is built, for boards that are said elsewhere.
fn options(case: &Case) -> BuildOptions {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases");
    BuildOptions {
        input: Some(case.write(&folder)),
        target_dir: Some(folder.join("target")),
        ..Default::default()
    }
}

/// Cases in a session. More modules, with the code that imports them, leave too little of a small board's memory.
const AT_ONCE: usize = 12;

/// Runs all cases on a board.
fn play(board: &Board, cases: &[Case], modules: &[Modules]) -> Session {
    let mut found = BTreeMap::new();
    for (cases, modules) in cases.chunks(AT_ONCE).zip(modules.chunks(AT_ONCE)) {
        let of = |(case, modules): (&Case, &Modules)| {
            modules.of(board).map_err(|error| format!("{}: {error}", case.name))
        };
        let modules = cases.iter().zip(modules).map(of).collect::<Result<Vec<_>, _>>()?;
        match board::execute(board, &modules, &session(cases)) {
            Ok(text) => found.extend(outputs(&text)),
            // What came before the failure still counts.
            Err(text) => {
                found.extend(outputs(&text));
                found.insert(String::new(), text);
            }
        }
    }
    Ok(found)
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

fn bless(cases: &[Case], modules: &[Modules]) {
    let Some((host, None)) = board::boards().into_iter().find(|(board, _)| board.name == "unix") else {
        panic!("BLESS=1 needs MicroPython on this machine");
    };
    for (name, output) in play(host, cases, modules).expect("a session") {
        if let Some(case) = cases.iter().find(|case| case.name == name)
            && case.expect != output
        {
            case.bless(&output);
        }
    }
}
