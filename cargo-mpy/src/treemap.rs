//! A picture of what a module is made of: rectangles as large as functions, in rectangles as large as crates.
//! As SVG, or as a page that also lists everything; both need nothing but themselves.

use std::fmt::Write as _;

use crate::map::{self, Entry};

/// Width and height of a picture.
const SIZE: (f64, f64) = (1200.0, 800.0);
/// Height of the line above a crate's functions.
const HEAD: f64 = 18.0;
/// Pixels of an average character at the size that labels have, measured generously.
const CHARACTER: f64 = 6.9;

/// Colours of crates, in the order of their sizes: far apart, and white can be read on them.
const COLORS: [&str; 10] = [
    "#3f6d9f", "#d9730d", "#3f8f89", "#c8413f", "#45883c", "#a67c00", "#8c5a86", "#c2557a", "#80624e",
    "#756d69",
];

/// What is drawn.
pub struct Picture<'a> {
    /// A line above it.
    pub title: String,
    pub entries: &'a [Entry],
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Rect {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

/// Divides `area` among `sizes`, which are in falling order, into rectangles near squares: a row is filled along the
/// shorter side as long as its worst rectangle gets better (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000).
fn squarify(sizes: &[f64], mut area: Rect) -> Vec<Rect> {
    let mut rects = Vec::with_capacity(sizes.len());
    let mut rest = sizes;
    while !rest.is_empty() {
        let total: f64 = rest.iter().sum();
        let scale = if total > 0.0 { area.w * area.h / total } else { 0.0 };
        let side = area.w.min(area.h);
        let worst = |row: &[f64]| {
            let thickness = row.iter().sum::<f64>() * scale / side;
            let ratio = |size: &f64| {
                let length = size * scale / thickness;
                (length / thickness).max(thickness / length)
            };
            row.iter().map(ratio).fold(0.0, f64::max)
        };
        let mut count = 1;
        while count < rest.len() && worst(&rest[..=count]) <= worst(&rest[..count]) {
            count += 1;
        }
        let (row, others) = rest.split_at(count);
        let thickness = row.iter().sum::<f64>() * scale / side;
        let mut at = 0.0;
        for size in row {
            let length = size * scale / thickness;
            rects.push(match area.w >= area.h {
                true => Rect { x: area.x, y: area.y + at, w: thickness, h: length },
                false => Rect { x: area.x + at, y: area.y, w: length, h: thickness },
            });
            at += length;
        }
        match area.w >= area.h {
            true => (area.x, area.w) = (area.x + thickness, area.w - thickness),
            false => (area.y, area.h) = (area.y + thickness, area.h - thickness),
        }
        rest = others;
    }
    rects
}

/// `text` in XML, which has no word for most control characters.
fn escaped(text: &str) -> String {
    target_specs::visible_line(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// As much of `text` as fits into this many pixels; nothing when that would say little.
fn fitting(text: &str, width: f64) -> String {
    let room = (width / CHARACTER) as usize;
    match text.chars().count() {
        length if length <= room => text.to_owned(),
        _ if room < 5 => String::new(),
        _ => text.chars().take(room - 1).chain(['…']).collect(),
    }
}

/// A function's name as it is labelled: the end of its path tells it.
fn label(name: &str) -> &str {
    // Not a `::` of its type arguments.
    let path = name.find("::<").map_or(name, |at| &name[..at]);
    path.rfind("::").map_or(path, |at| &path[at + 2..])
}

fn percent(part: u32, whole: u32) -> f64 {
    f64::from(part) * 100.0 / f64::from(whole.max(1))
}

/// The picture as a whole SVG file.
pub fn svg(picture: &Picture) -> String {
    let (width, height) = SIZE;
    let whole: u32 = picture.entries.iter().map(|entry| entry.size).sum();
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"4\" y=\"17\" font-size=\"14\" font-weight=\"bold\">{}</text>\n",
        height + 26.0,
        escaped(&picture.title)
    );
    let owners = map::by_owner(picture.entries);
    let sizes: Vec<f64> = owners.iter().map(|(_, size)| f64::from(*size)).collect();
    let areas = squarify(&sizes, Rect { x: 0.0, y: 26.0, w: width, h: height });
    for ((number, (owner, size)), area) in owners.iter().enumerate().zip(areas) {
        let color = COLORS[number.min(COLORS.len() - 1)];
        let Rect { x, y, w, h } = area;
        let share = percent(*size, whole);
        let _ = writeln!(
            text,
            "<g><title>{0}: {size} bytes, {share:.1} %</title>\
             <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" fill=\"{color}\" stroke=\"#fff\" stroke-width=\"2\"/>",
            escaped(owner)
        );
        let titled = h > 2.0 * HEAD && !fitting(owner, w - 8.0).is_empty();
        if titled {
            let head = fitting(&format!("{owner}  {size}"), w - 8.0);
            let _ = writeln!(
                text,
                "<text x=\"{:.1}\" y=\"{:.1}\" font-weight=\"bold\" fill=\"#fff\">{}</text>",
                x + 4.0,
                y + 13.0,
                escaped(&head)
            );
        }
        let mut inside: Vec<&Entry> = picture.entries.iter().filter(|entry| entry.owner == *owner).collect();
        inside.sort_by_key(|entry| std::cmp::Reverse(entry.size));
        let head = if titled { HEAD } else { 1.0 };
        let inner = Rect { x: x + 1.0, y: y + head, w: (w - 2.0).max(0.1), h: (h - head - 1.0).max(0.1) };
        let sizes: Vec<f64> = inside.iter().map(|entry| f64::from(entry.size)).collect();
        for (entry, Rect { x, y, w, h }) in inside.iter().zip(squarify(&sizes, inner)) {
            let opacity = if entry.part == mpy_link::Part::Bss { "0.55" } else { "0.82" };
            let _ = write!(
                text,
                "<g><title>{}: {} bytes, {:.1} %, {}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" \
                 height=\"{h:.1}\" fill=\"#fff\" fill-opacity=\"{opacity}\" stroke=\"{color}\" stroke-width=\"0.7\"/>",
                escaped(&entry.name),
                entry.size,
                percent(entry.size, whole),
                entry.part.name()
            );
            let name = fitting(label(&entry.name), w - 6.0);
            if h >= 14.0 && !name.is_empty() {
                let _ = write!(
                    text,
                    "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                    x + 3.0,
                    y + 11.5,
                    escaped(&name)
                );
                if h >= 28.0 {
                    let size = fitting(&entry.size.to_string(), w - 6.0);
                    let _ = write!(
                        text,
                        "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#555\">{size}</text>",
                        x + 3.0,
                        y + 24.5
                    );
                }
            }
            text.push_str("</g>\n");
        }
        text.push_str("</g>\n");
    }
    text + "</svg>\n"
}

/// The pictures, each with a table of everything that can be searched, as a whole HTML file.
pub fn html(pictures: &[Picture]) -> String {
    let title = pictures.first().map(|picture| escaped(&picture.title)).unwrap_or_default();
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n<style>\n{STYLE}</style>\n"
    );
    for picture in pictures {
        let whole: u32 = picture.entries.iter().map(|entry| entry.size).sum();
        let mut entries: Vec<&Entry> = picture.entries.iter().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.size));
        let _ = write!(
            text,
            "<section>\n{}<input type=\"search\" placeholder=\"name, crate or part\" aria-label=\"search\">\n\
             <table><thead><tr><th>bytes<th>%<th>part<th>crate<th>name</thead><tbody>\n",
            svg(picture)
        );
        for entry in entries {
            let _ = writeln!(
                text,
                "<tr><td>{}<td>{:.1}<td>{}<td>{}<td>{}",
                entry.size,
                percent(entry.size, whole),
                entry.part.name(),
                escaped(&entry.owner),
                escaped(&entry.name)
            );
        }
        text.push_str("</tbody></table>\n</section>\n");
    }
    let _ = write!(text, "<script>\n{SCRIPT}</script>\n</html>\n");
    text
}

const STYLE: &str = "\
body { font: 14px system-ui, sans-serif; margin: 1rem auto; max-width: 1200px; padding: 0 1rem; color: #222; }
svg { width: 100%; height: auto; display: block; }
svg g:hover > rect { fill-opacity: 1; }
input { margin: 1rem 0 .5rem; padding: .3rem .6rem; width: 20rem; max-width: 100%; font: inherit; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; border-bottom: 2px solid #888; }
td, th { padding: .15rem .6rem; vertical-align: top; }
td:nth-child(-n+2), th:nth-child(-n+2) { text-align: right; font-variant-numeric: tabular-nums; }
td:last-child { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
tr:nth-child(even) td { background: #f4f4f4; }
";

const SCRIPT: &str = "\
for (const section of document.querySelectorAll('section')) {
  const rows = section.querySelectorAll('tbody tr');
  section.querySelector('input').addEventListener('input', event => {
    const wanted = event.target.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_fill_the_area_and_do_not_overlap() {
        let sizes = [600.0, 600.0, 400.0, 300.0, 200.0, 200.0, 100.0, 1.0];
        let area = Rect { x: 10.0, y: 20.0, w: 600.0, h: 400.0 };
        let rects = squarify(&sizes, area);
        assert_eq!(rects.len(), sizes.len());
        let whole: f64 = sizes.iter().sum();
        for (rect, size) in rects.iter().zip(sizes) {
            assert!((rect.w * rect.h - size / whole * 240_000.0).abs() < 1e-6, "{rect:?}");
            assert!(rect.x >= 10.0 - 1e-9 && rect.x + rect.w <= 610.0 + 1e-9, "{rect:?}");
            assert!(rect.y >= 20.0 - 1e-9 && rect.y + rect.h <= 420.0 + 1e-9, "{rect:?}");
        }
        for (i, a) in rects.iter().enumerate() {
            for b in &rects[i + 1..] {
                let x = (a.x + a.w).min(b.x + b.w) - a.x.max(b.x);
                let y = (a.y + a.h).min(b.y + b.h) - a.y.max(b.y);
                assert!(x < 1e-6 || y < 1e-6, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn labels_are_the_ends_of_paths_as_far_as_they_fit() {
        assert_eq!(label("core::slice::sort::quicksort::<i16, core::cmp::lt>"), "quicksort");
        assert_eq!(label("memcpy"), "memcpy");
        assert_eq!(fitting("quicksort", 1000.0), "quicksort");
        assert_eq!(fitting("quicksort", 6.0 * CHARACTER), "quick…");
        assert_eq!(fitting("quicksort", 2.0 * CHARACTER), "");
    }
}
