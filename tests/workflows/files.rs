//! The files, and the steps in them.

use std::path::{Path, PathBuf};

use serde_yaml::Value;

/// A step, and where it is.
pub struct Step {
    pub file: PathBuf,
    pub step: Value,
}

impl Step {
    pub fn text(&self, key: &str) -> Option<&str> {
        self.step.get(key).and_then(Value::as_str)
    }
}

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &Path) -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The workflows of this repository, and those of the examples.
pub fn workflows() -> Vec<PathBuf> {
    let mut directories = vec![root().join(".github/workflows")];
    let examples = std::fs::read_dir(root().join("docs/examples")).unwrap();
    directories.extend(examples.map(|entry| entry.unwrap().path().join(".github/workflows")));
    let files = directories.iter().filter_map(|directory| std::fs::read_dir(directory).ok()).flatten();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The jobs of a workflow.
pub fn jobs(workflow: &Value) -> impl Iterator<Item = (&str, &Value)> {
    workflow["jobs"].as_mapping().unwrap().iter().map(|(name, job)| (name.as_str().unwrap(), job))
}

/// Every step of every workflow, and of the action.
pub fn steps() -> Vec<Step> {
    let mut found = Vec::new();
    for file in workflows() {
        let workflow = read(&file);
        for (_, job) in jobs(&workflow) {
            let steps = job["steps"].as_sequence().into_iter().flatten();
            found.extend(steps.map(|step| Step { file: file.clone(), step: step.clone() }));
        }
    }
    let file = root().join("action.yml");
    let action = read(&file);
    let steps = action["runs"]["steps"].as_sequence().unwrap();
    found.extend(steps.iter().map(|step| Step { file: file.clone(), step: step.clone() }));
    found
}
