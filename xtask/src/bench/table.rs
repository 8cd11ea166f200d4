//! The table of the figures of all runs.

use std::fmt;

use super::figure::Figure;

/// The figures of all runs, in the order in which they were first measured.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
}

/// A figure and its values in each run.
#[derive(Debug)]
struct Row {
    /// The figure of the first run.
    figure: Figure,
    ours: Vec<f64>,
    peers: Vec<f64>,
}

impl Extend<Figure> for Table {
    /// Adds the figures of a run.
    fn extend<T: IntoIterator<Item = Figure>>(&mut self, figures: T) {
        for figure in figures {
            let peer = |figure: &Figure| figure.peer.as_ref().map(|peer| peer.name.clone());
            let same = |row: &Row| row.figure.name == figure.name && peer(&row.figure) == peer(&figure);
            let index = self.rows.iter().position(same).unwrap_or_else(|| {
                self.rows.push(Row { figure: figure.clone(), ours: Vec::new(), peers: Vec::new() });
                self.rows.len() - 1
            });
            let row = &mut self.rows[index];
            row.ours.push(figure.ours);
            row.peers.extend(figure.peer.map(|peer| peer.value));
        }
    }
}

impl fmt::Display for Table {
    /// Writes the table in Markdown. Values are the minimum, median, and maximum; the ratio is the median of the ratios
    /// in each run.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "| Figure | Unit | Target | xks-console | Peer | Its value | Ratio |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- |")?;
        for Row { figure, ours, peers } in &self.rows {
            let ratios: Vec<f64> = ours.iter().zip(peers).map(|(ours, peer)| ours / peer).collect();
            let ratio = if ratios.is_empty() { String::new() } else { format_value(spread(&ratios)[1]) };
            let peer = figure.peer.as_ref().map_or("", |peer| &peer.name);
            let Figure { name, unit, target, .. } = figure;
            writeln!(
                f,
                "| {name} | {unit} | {target} | {} | {peer} | {} | {ratio} |",
                format_spread(ours),
                format_spread(peers)
            )?;
        }
        Ok(())
    }
}

/// Returns the minimum, median, and maximum of at least one value.
fn spread(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    [sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]]
}

fn format_spread(values: &[f64]) -> String {
    match values {
        [] => String::new(),
        [value] => format_value(*value),
        _ => spread(values).map(format_value).join(" / "),
    }
}

/// Returns a value with about three digits.
fn format_value(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figure::Peer;

    #[test]
    fn row_has_the_spread_of_all_runs_and_the_median_ratio() {
        let figure = |ours, peer: Option<f64>| Figure {
            peer: peer.map(|value| Peer { name: "baseline".to_owned(), value }),
            ..Figure::new("key to frame", "ms", ours, "≤ 2")
        };
        let mut table = Table::default();
        table.extend([figure(1.5, Some(1.0)), figure(3.0, Some(1.0)), figure(120.0, Some(100.0))]);
        table.extend([Figure::new("memory", "MB", 9.87, "")]);
        let lines: Vec<_> = table.to_string().lines().skip(2).map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "| key to frame | ms | ≤ 2 | 1.50 / 3.00 / 120 | baseline | 1.00 / 1.00 / 100 | 1.50 |",
                "| memory | MB |  | 9.87 |  |  |  |",
            ]
        );
    }
}
