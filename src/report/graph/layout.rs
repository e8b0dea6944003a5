//! Where boxes and wires of the picture go: a layered drawing from left to right.
//!
//! Each wave is a column, a long wave several. A wire that goes on to a further column has a row of its own in those
//! between, shared by all wires of one source, so that no wire crosses a box. Rows are ordered by the mean height of
//! their neighbours (Sugiyama's barycentre method), then pulled towards them without changing the order.

use std::collections::BTreeMap;

use crate::image::graph::Graph;

/// Height of a box.
pub(super) const BOX: f64 = 58.0;
const ROW_GAP: f64 = 14.0;
/// Gap between two wires that pass.
const WIRE_GAP: f64 = 6.0;
const COLUMN_GAP: f64 = 72.0;
/// Height of the row that a passing wire takes.
const PASS: f64 = 4.0;
const MARGIN: f64 = 28.0;
const TITLE: f64 = 34.0;
/// A wave of more images takes several columns.
const MOST_ROWS: usize = 20;
const SWEEPS: usize = 12;

/// The finished drawing, in pixels.
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Phase by phase: left edge and width.
    pub(super) bands: Vec<(f64, f64)>,
    /// Left, top and width of each node's box.
    pub(super) boxes: Vec<(f64, f64, f64)>,
    pub(super) wires: Vec<Wire>,
}

/// A piece of a wire.
pub(super) struct Wire {
    /// The node it comes from.
    pub(super) source: usize,
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
    /// Whether it ends at a box.
    pub(super) arrives: bool,
}

/// What takes up a row of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Node(usize),
    /// The wire of this node passes.
    Pass(usize),
}

impl Item {
    fn height(self) -> f64 {
        match self {
            Item::Node(_) => BOX,
            Item::Pass(_) => PASS,
        }
    }
}

struct Columns {
    items: Vec<Vec<Item>>,
    /// Centre of each item, as `items`.
    centres: Vec<Vec<f64>>,
    /// For each gap between columns: rows of the left one and of the right one that a wire joins.
    joins: Vec<Vec<(Item, Item)>>,
}

/// Lays out `graph`; `width` is what each node's text needs.
pub(super) fn layout(graph: &Graph, width: impl Fn(usize) -> f64) -> Layout {
    let (columns, phases) = columns(graph);
    let mut columns = Columns::new(graph, columns);
    columns.arrange();
    columns.draw(graph, &phases, width)
}

/// Nodes by column, and the phase of each column.
fn columns(graph: &Graph) -> (Vec<Vec<usize>>, Vec<usize>) {
    let (mut columns, mut phases) = (Vec::new(), Vec::new());
    for (index, phase) in graph.phases.iter().enumerate() {
        for wave in &phase.waves {
            let parts = wave.len().div_ceil(MOST_ROWS);
            for part in wave.chunks(wave.len().div_ceil(parts.max(1)).max(1)) {
                columns.push(part.to_vec());
                phases.push(index);
            }
        }
    }
    (columns, phases)
}

impl Columns {
    fn new(graph: &Graph, columns: Vec<Vec<usize>>) -> Self {
        let mut column_of = vec![0; graph.nodes.len()];
        for (column, nodes) in columns.iter().enumerate() {
            nodes.iter().for_each(|node| column_of[*node] = column);
        }
        let mut items: Vec<Vec<Item>> =
            columns.iter().map(|nodes| nodes.iter().copied().map(Item::Node).collect()).collect();
        let mut joins = vec![Vec::new(); columns.len()];
        let mut reached: BTreeMap<usize, usize> = BTreeMap::new();
        for (node, column) in column_of.iter().enumerate() {
            for base in graph.needs(node) {
                let last = reached.entry(base).or_insert(column_of[base]);
                while *last + 1 < *column {
                    let from = if *last == column_of[base] { Item::Node(base) } else { Item::Pass(base) };
                    joins[*last].push((from, Item::Pass(base)));
                    *last += 1;
                    items[*last].push(Item::Pass(base));
                }
                let before = column - 1;
                let from = if before == column_of[base] { Item::Node(base) } else { Item::Pass(base) };
                joins[before].push((from, Item::Node(node)));
            }
        }
        let centres = items.iter().map(|column| vec![0.0; column.len()]).collect();
        Columns { items, centres, joins }
    }

    fn arrange(&mut self) {
        (0..self.items.len()).for_each(|column| self.stack(column));
        for sweep in 0..SWEEPS {
            self.sweep(|columns, column, wanted| columns.reorder(column, wanted), sweep);
        }
        for sweep in 0..SWEEPS {
            self.sweep(|columns, column, wanted| columns.pull(column, wanted), sweep);
        }
    }

    /// Visits all columns, forwards looking left or backwards looking right, with what each item's neighbours wish for it.
    fn sweep(&mut self, visit: impl Fn(&mut Self, usize, Vec<f64>), number: usize) {
        let count = self.items.len();
        let forwards = number.is_multiple_of(2);
        for step in 1..count {
            let column = if forwards { step } else { count - 1 - step };
            let wanted = self.wanted(column, forwards);
            visit(self, column, wanted);
        }
    }

    /// The mean centre of each item's neighbours in the column before (or after); its own where it has none.
    fn wanted(&self, column: usize, before: bool) -> Vec<f64> {
        let (gap, neighbour) = if before { (column - 1, column - 1) } else { (column, column + 1) };
        let centres: BTreeMap<Item, f64> =
            self.items[neighbour].iter().copied().zip(self.centres[neighbour].iter().copied()).collect();
        let mut sums: BTreeMap<Item, (f64, f64)> = BTreeMap::new();
        for (left, right) in &self.joins[gap] {
            let (item, other) = if before { (right, left) } else { (left, right) };
            let sum = sums.entry(*item).or_default();
            *sum = (sum.0 + centres[other], sum.1 + 1.0);
        }
        let own = self.items[column].iter().zip(&self.centres[column]);
        own.map(|(item, centre)| sums.get(item).map_or(*centre, |(sum, count)| sum / count)).collect()
    }

    fn reorder(&mut self, column: usize, wanted: Vec<f64>) {
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
        self.items[column] = order.iter().map(|index| self.items[column][*index]).collect();
        self.stack(column);
    }

    /// One item below the other, the column centred on zero.
    fn stack(&mut self, column: usize) {
        let offsets = self.offsets(column);
        let half = offsets.last().copied().unwrap_or(0.0) / 2.0;
        self.centres[column] = offsets.iter().map(|offset| offset - half).collect();
    }

    /// Least distance of each centre from the first one.
    fn offsets(&self, column: usize) -> Vec<f64> {
        let mut offsets = Vec::new();
        let mut at = 0.0;
        for (index, item) in self.items[column].iter().enumerate() {
            if let Some(before) = index.checked_sub(1).map(|before| self.items[column][before]) {
                let both_pass = matches!((before, item), (Item::Pass(_), Item::Pass(_)));
                at += (before.height() + item.height()) / 2.0 + if both_pass { WIRE_GAP } else { ROW_GAP };
            }
            offsets.push(at);
        }
        offsets
    }

    /// Moves items as near to `wanted` as their order and distances allow: isotonic regression by pooling neighbours.
    fn pull(&mut self, column: usize, wanted: Vec<f64>) {
        let offsets = self.offsets(column);
        let mut pools: Vec<(f64, usize)> = Vec::new();
        for (wanted, offset) in wanted.iter().zip(&offsets) {
            let mut pool = (wanted - offset, 1);
            while let Some(last) = pools.last().copied().filter(|last| last.0 > pool.0) {
                let count = last.1 + pool.1;
                pool = ((last.0 * last.1 as f64 + pool.0 * pool.1 as f64) / count as f64, count);
                pools.pop();
            }
            pools.push(pool);
        }
        let levels = pools.into_iter().flat_map(|(level, count)| std::iter::repeat_n(level, count));
        self.centres[column] = levels.zip(offsets).map(|(level, offset)| level + offset).collect();
    }

    fn draw(self, graph: &Graph, phases: &[usize], width: impl Fn(usize) -> f64) -> Layout {
        let edges = |pick: fn(f64, f64) -> f64, sign: f64| {
            let rows = self.items.iter().flatten().zip(self.centres.iter().flatten());
            rows.map(|(item, centre)| centre + sign * item.height() / 2.0).fold(0.0, pick)
        };
        let (top, bottom) = (edges(f64::min, -1.0), edges(f64::max, 1.0));
        let down = MARGIN + TITLE - top;
        let mut places: BTreeMap<(usize, Item), (f64, f64, f64)> = BTreeMap::new();
        let mut boxes = vec![(0.0, 0.0, 0.0); graph.nodes.len()];
        let mut bands: Vec<(f64, f64)> = vec![(0.0, 0.0); graph.phases.len()];
        let mut left = MARGIN * 1.5;
        for (column, items) in self.items.iter().enumerate() {
            let widths = items.iter().map(|item| match item {
                Item::Node(node) => width(*node),
                Item::Pass(_) => 0.0,
            });
            let wide = widths.fold(0.0, f64::max).ceil();
            for (item, centre) in items.iter().zip(&self.centres[column]) {
                let y = (centre + down).round();
                places.insert((column, *item), (left, left + wide, y));
                if let Item::Node(node) = item {
                    boxes[*node] = (left, y - BOX / 2.0, wide);
                }
            }
            let band = &mut bands[phases[column]];
            let start = if band.1 == 0.0 { left - MARGIN * 0.75 } else { band.0 };
            *band = (start, left + wide + MARGIN * 0.75 - start);
            left += wide + COLUMN_GAP;
        }
        let wires = self.wires(&places);
        let width = left - COLUMN_GAP + MARGIN * 1.5;
        Layout { width, height: (bottom + down + MARGIN).ceil(), bands, boxes, wires }
    }

    /// The wires between columns, and across those that they pass.
    fn wires(&self, places: &BTreeMap<(usize, Item), (f64, f64, f64)>) -> Vec<Wire> {
        let mut wires = Vec::new();
        for (column, joins) in self.joins.iter().enumerate() {
            let mut ports: BTreeMap<Item, Vec<(f64, Item)>> = BTreeMap::new();
            for (from, to) in joins {
                ports.entry(*to).or_default().push((places[&(column, *from)].2, *from));
            }
            for (to, mut sources) in ports {
                sources.sort_by(|a, b| a.0.total_cmp(&b.0));
                let (left, right, y) = places[&(column + 1, to)];
                let count = sources.len() as f64;
                for (number, (height, from)) in sources.into_iter().enumerate() {
                    // wires arrive one below the other, in the order they come from
                    let spread = (number as f64 - (count - 1.0) / 2.0) * (BOX / (count + 1.0)).min(14.0);
                    let (Item::Node(source) | Item::Pass(source)) = from;
                    let start = (places[&(column, from)].1, height);
                    let arrives = matches!(to, Item::Node(_));
                    wires.push(Wire { source, from: start, to: (left, (y + spread).round()), arrives });
                    if !arrives {
                        wires.push(Wire { source, from: (left, y), to: (right, y), arrives });
                    }
                }
            }
        }
        wires
    }
}
