"""Writes sample graphs as the CSV files that GraphScope loads: one file a vertex label, one a kind of edge.

They come from NetworkX, which the client of GraphScope depends on, except for the graph of TinkerPop's manual,
which NetworkX does not have.
"""

import csv
import pathlib
import sys

import networkx as nx


def write(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def plain(root, name, graph):
    """A graph whose vertices are numbers: what they were called is a property of theirs."""
    ids = {node: number for number, node in enumerate(graph.nodes)}
    write(root / name / "node.csv", ["id", "name"], [[number, node] for node, number in ids.items()])
    edges = [[ids[a], ids[b], data.get("weight", 1)] for a, b, data in graph.edges(data=True)]
    write(root / name / "edge.csv", ["src", "dst", "weight"], edges)


def modern(root):
    person = [[1, "marko", 29], [2, "vadas", 27], [4, "josh", 32], [6, "peter", 35]]
    software = [[3, "lop", "java"], [5, "ripple", "java"]]
    knows = [[1, 2, 0.5], [1, 4, 1.0]]
    created = [[1, 3, 0.4], [4, 3, 0.4], [4, 5, 1.0], [6, 3, 0.2]]
    write(root / "modern_graph" / "person.csv", ["id", "name", "age"], person)
    write(root / "modern_graph" / "software.csv", ["id", "name", "lang"], software)
    write(root / "modern_graph" / "knows.csv", ["src", "dst", "weight"], knows)
    write(root / "modern_graph" / "created.csv", ["src", "dst", "weight"], created)


def index(root, version):
    """busybox lists no directories, so there is a list."""
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*.csv"))
    lines = [f"Sample graphs of GraphScope {version}", *files]
    (root / "index.txt").write_text("\n".join(lines) + "\n")


def main(root, version):
    modern(root)
    plain(root, "karate_club", nx.karate_club_graph())
    plain(root, "les_miserables", nx.les_miserables_graph())
    plain(root, "davis_southern_women", nx.davis_southern_women_graph())
    plain(root, "florentine_families", nx.florentine_families_graph())
    index(root, version)


main(pathlib.Path(sys.argv[1]), sys.argv[2])
