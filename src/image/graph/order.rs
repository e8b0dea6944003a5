//! Waves within phases, and the cycles that stand in their way.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Code, Faults, Node, Phase};

/// Takes each phase apart into waves (Kahn's algorithm). Images on a cycle are in no wave; each cycle is a fault.
pub(super) fn phases<'a>(names: impl Iterator<Item = &'a str>, nodes: &[Node], faults: &mut Faults<'_>) -> Vec<Phase> {
    let needs: Vec<BTreeSet<usize>> = nodes.iter().map(Node::needs).collect();
    cycles(nodes, &needs, faults);
    let mut phases: Vec<Phase> = names.map(|name| Phase { name: name.to_owned(), waves: Vec::new() }).collect();
    for (index, phase) in phases.iter_mut().enumerate() {
        let members: Vec<usize> = (0..nodes.len()).filter(|node| nodes[*node].phase == index).collect();
        phase.waves = waves(&members, nodes.len(), &needs);
    }
    phases
}

/// The waves of `members`, each in the order of the file. Needs outside of `members` count as met.
fn waves(members: &[usize], nodes: usize, needs: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let mut open = vec![0; nodes];
    let mut dependants = vec![Vec::new(); nodes];
    let inside: BTreeSet<usize> = members.iter().copied().collect();
    for &node in members {
        for &base in needs[node].intersection(&inside) {
            open[node] += 1;
            dependants[base].push(node);
        }
    }
    let mut waves = Vec::new();
    let mut wave: Vec<usize> = members.iter().copied().filter(|node| open[*node] == 0).collect();
    while !wave.is_empty() {
        let mut next = Vec::new();
        for dependant in wave.iter().flat_map(|node| &dependants[*node]) {
            open[*dependant] -= 1;
            if open[*dependant] == 0 {
                next.push(*dependant);
            }
        }
        next.sort_unstable();
        waves.push(std::mem::replace(&mut wave, next));
    }
    waves
}

/// Reports cycles: every image on one is named in one of them.
fn cycles(nodes: &[Node], needs: &[BTreeSet<usize>], faults: &mut Faults<'_>) {
    let all: Vec<usize> = (0..nodes.len()).collect();
    let ordered: BTreeSet<usize> = waves(&all, nodes.len(), needs).into_iter().flatten().collect();
    let left: BTreeSet<usize> = all.into_iter().filter(|node| !ordered.contains(node)).collect();
    let mut told = BTreeSet::new();
    for &start in &left {
        if told.contains(&start) {
            continue;
        }
        // an image that is merely built on one of a cycle is left as well, and has no cycle through itself
        if let Some(cycle) = cycle_through(start, needs, &left) {
            report(nodes, &cycle, faults);
            told.extend(cycle);
        }
    }
}

/// The shortest way from `start` through its bases back to itself, among `left`.
fn cycle_through(start: usize, needs: &[BTreeSet<usize>], left: &BTreeSet<usize>) -> Option<Vec<usize>> {
    let mut reached_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for &base in needs[node].intersection(left) {
            if base == start {
                let mut cycle = vec![node];
                while let Some(before) = cycle.last().filter(|last| **last != start).and_then(|n| reached_from.get(n)) {
                    cycle.push(*before);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if let Entry::Vacant(vacant) = reached_from.entry(base) {
                vacant.insert(node);
                queue.push_back(base);
            }
        }
    }
    None
}

fn report(nodes: &[Node], cycle: &[usize], faults: &mut Faults<'_>) {
    let (Some(&first), next) = (cycle.first(), cycle.get(1).or(cycle.first())) else { return };
    let names: Vec<&str> = cycle.iter().chain([&first]).map(|node| nodes[*node].image.as_str()).collect();
    let base = nodes[first].bases.iter().find(|base| base.node == next.copied());
    let message = match cycle.len() {
        1 => format!("`{}` is built on itself", names[0]),
        _ => format!("images are built on each other: {}", names.join(" -> ")),
    };
    let span = base.map_or(0..0, |base| base.span.clone());
    let help = "build one of them on something else".to_owned();
    faults.at(Code::GraphCycle, &nodes[first].dockerfile, span, message, Some(help));
}
