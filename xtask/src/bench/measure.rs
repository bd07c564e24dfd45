//! Modules → numbers.

use std::fmt::Write as _;
use std::time::Duration;

use cargo_mpy::toolchain::emulator::{Run, count, run};
use cargo_mpy::toolchain::micropython::Firmware;
use target_specs::{Arch, Emulator};

use super::Result;
use super::build::{Made, Road};
use super::subjects::Program;

/// Of every road on this machine in one process, where memory lies as it happens to; and how many of these.
const TURNS: usize = 41;
const PROCESSES: usize = 5;

pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// One program: a number per road.
pub struct Row {
    pub name: &'static str,
    pub cells: Vec<Option<u64>>,
}

/// Instructions on an emulated board, nanoseconds on this machine: there `hollow` is as many modules, whose functions
/// do nothing, and what calling them takes is taken away. All take turns, and a road is compared with the first within
/// each, as processors that others use too are quicker at some times than at others.
pub fn measure(
    arch: &Arch,
    programs: &[&'static Program],
    made: &[(Road, Vec<Option<Made>>)],
    hollow: &dyn Fn(&Program) -> Result<Made>,
) -> Result<Vec<Row>> {
    let board = target_specs::board(arch.test_board.as_deref().unwrap_or_default())?;
    let firmware = Firmware::build(board, &|_| {})?;
    let timeout = Duration::from_secs(600);
    let mut rows: Vec<Row> =
        programs.iter().map(|program| Row { name: program.name, cells: vec![None; made.len()] }).collect();
    let mut results: Vec<Option<String>> = vec![None; programs.len()];
    let mut agree = |at: usize, road: Road, result: &str| match &results[at] {
        None => {
            results[at] = Some(result.to_owned());
            Ok(())
        }
        Some(known) if known == result => Ok(()),
        Some(known) => Err(format!("{} {}: {result}, not {known}", programs[at].name, road.name())),
    };
    if matches!(board.emulator, Some(Emulator::Unix { .. })) {
        for (at, program) in programs.iter().enumerate() {
            let mut modules = vec![("hollow.mpy".to_owned(), hollow(program)?.mpy)];
            let mut code = "import time, hollow\nms = []\n".to_owned();
            let mut order = Vec::new();
            for (index, (_, all)) in made.iter().enumerate() {
                let Some(module) = &all[at] else { continue };
                let name = format!("r{index}");
                modules.push((format!("{name}.mpy"), module.mpy.clone()));
                let _ = writeln!(code, "import {name}\nms.append({name})\nm = {name}\n{}", program.setup);
                order.push(index);
            }
            let call = program.call;
            // Short turns, as most must pass undisturbed.
            let _ = write!(
                code,
                "def once(m, n):\n t = time.ticks_us()\n for _ in range(n):\n  r = {call}\n return time.ticks_diff(time.ticks_us(), t)\n\
                 n = 1\nwhile once(ms[0], n) < 2000: n *= 2\n\
                 times = [[] for m in ms]\n\
                 for again in range({TURNS}):\n nothing = once(hollow, n)\n \
                 for m, all in zip(ms, times): all.append((once(m, n) - nothing) * 1000 // n)\n\
                 for m, all in zip(ms, times): print({call}, *all)\n"
            );
            // By road.
            let mut times: Vec<Vec<f64>> = vec![Vec::new(); order.len()];
            for _ in 0..PROCESSES {
                let outcome = run(
                    &Run {
                        board,
                        firmware: &firmware,
                        modules: &modules,
                        code: &code,
                        timeout,
                        arguments: &[],
                    },
                    &mut |_| {},
                )?;
                let printed = String::from_utf8_lossy(&outcome.stdout).into_owned();
                if printed.lines().count() != order.len() {
                    return Err(format!("{}: {printed}{}", program.name, outcome.stderr).into());
                }
                for ((line, index), times) in printed.lines().zip(&order).zip(&mut times) {
                    let (result, numbers) = line.split_once(' ').ok_or("no numbers")?;
                    agree(at, made[*index].0, result)?;
                    for number in numbers.split(' ') {
                        times.push(number.parse()?);
                    }
                }
            }
            for (index, road) in order.iter().zip(&times) {
                let ratios = road.iter().zip(&times[0]).map(|(time, first)| time / first).collect();
                rows[at].cells[*index] = Some((median(ratios) * median(times[0].clone())) as u64);
            }
        }
        return Ok(rows);
    }
    for (index, (road, all)) in made.iter().enumerate() {
        let ready: Vec<(usize, &Made)> =
            all.iter().enumerate().filter_map(|(at, made)| Some((at, made.as_ref()?))).collect();
        // Some want a page of 64 KiB each, and what a module has is never given back.
        for few in ready.chunks(4) {
            let modules: Vec<(String, Vec<u8>)> =
                few.iter().map(|(_, made)| (format!("{}.mpy", made.name), made.mpy.clone())).collect();
            let mut code = "import machine\n".to_owned();
            for (at, made) in few {
                let program = programs[*at];
                let _ = write!(
                    code,
                    "import {0} as m\n{1}\nmachine.idle()\nr = {2}\nmachine.idle()\nprint({3})\n",
                    made.name, program.setup, program.call, program.result
                );
            }
            let run =
                Run { board, firmware: &firmware, modules: &modules, code: &code, timeout, arguments: &[] };
            let outcome = count(&run, &mut |_| {})?;
            let printed = String::from_utf8_lossy(&outcome.stdout).into_owned();
            if outcome.marks.len() != 2 * few.len() || printed.lines().count() != few.len() {
                return Err(format!("{} {}: {printed}{}", arch.name, road.name(), outcome.stderr).into());
            }
            for (((at, _), marks), result) in few.iter().zip(outcome.marks.chunks(2)).zip(printed.lines()) {
                agree(*at, *road, result)?;
                rows[*at].cells[index] = Some(marks[1] - marks[0]);
            }
        }
    }
    Ok(rows)
}
