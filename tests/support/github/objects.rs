//! Refs, blobs, trees and commits, in a real object database.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use git2::{ObjectType, Oid, Repository};
use serde_json::{Value, json};

use super::openapi;
use super::serve::{Answer, Request};
use super::state::State;

fn git(state: &State, request: &Request) -> Repository {
    Repository::open_bare(&state.repo(&request.repo).unwrap().git).unwrap()
}

pub fn reference(state: &mut State, request: &Request) -> Answer {
    match git(state, request).find_reference(&format!("refs/{}", request.operation.parameter("ref"))) {
        Ok(found) => Answer::new(200, show(&found)),
        Err(_) => Answer::error(404, "Not Found"),
    }
}

pub fn create_reference(state: &mut State, request: &Request) -> Answer {
    let git = git(state, request);
    let name = request.text("ref").unwrap_or_default();
    if !name.starts_with("refs/") || name.split('/').count() < 3 {
        return Answer::error(422, "Reference name must start with 'refs/' and contain at least two slashes.");
    }
    let Some(id) = object(&git, request.text("sha")) else { return Answer::error(422, "Object does not exist") };
    match git.reference(name, id, false, "api") {
        Ok(made) => {
            if let Some(tag) = name.strip_prefix("refs/tags/") {
                super::runs::tagged(state, request, tag, &id.to_string());
            }
            Answer::new(201, show(&made))
        }
        Err(_) => Answer::error(422, "Reference already exists"),
    }
}

pub fn move_reference(state: &mut State, request: &Request) -> Answer {
    let git = git(state, request);
    let name = format!("refs/{}", request.operation.parameter("ref"));
    let Ok(found) = git.find_reference(&name) else { return Answer::error(422, "Reference does not exist") };
    let Some(id) = object(&git, request.text("sha")) else { return Answer::error(422, "Object does not exist") };
    let old = found.target().unwrap();
    let forward = old == id || git.graph_descendant_of(id, old).unwrap();
    if !forward && request.body["force"] != true {
        return Answer::error(422, "Update is not a fast forward");
    }
    Answer::new(200, show(&git.reference(&name, id, true, "api").unwrap()))
}

pub fn blob(state: &mut State, request: &Request) -> Answer {
    let content = request.text("content").unwrap_or_default();
    let bytes = match request.text("encoding") {
        Some("base64") => STANDARD.decode(content).unwrap(),
        _ => content.as_bytes().to_owned(),
    };
    let id = git(state, request).blob(&bytes).unwrap();
    Answer::new(201, json!({ "url": url(state, request, "blobs", id), "sha": id.to_string() }))
}

pub fn tree(state: &mut State, request: &Request) -> Answer {
    let git = git(state, request);
    let mut entries = git2::build::TreeUpdateBuilder::new();
    for entry in request.body["tree"].as_array().into_iter().flatten() {
        let path = Path::new(entry["path"].as_str().unwrap_or_default());
        let id = match (entry["content"].as_str(), object(&git, entry["sha"].as_str())) {
            (Some(content), None) => git.blob(content.as_bytes()).unwrap(),
            (None, Some(id)) => id,
            _ => return Answer::error(422, "tree.sha is not a valid blob"),
        };
        let mode = match entry["mode"].as_str() {
            Some("100644") => git2::FileMode::Blob,
            Some("100755") => git2::FileMode::BlobExecutable,
            Some("120000") => git2::FileMode::Link,
            _ => return Answer::error(422, "tree.mode must be one of 040000, 100644, 100755, 120000 or 160000"),
        };
        entries.upsert(path, id, mode);
    }
    let before = match object(&git, request.text("base_tree")) {
        Some(id) => git.find_object(id, None).unwrap().peel_to_tree().unwrap(),
        None if request.body["base_tree"].is_null() => {
            let empty = git.treebuilder(None).unwrap().write().unwrap();
            git.find_tree(empty).unwrap()
        }
        None => return Answer::error(404, "Not Found"),
    };
    let id = entries.create_updated(&git, &before).unwrap();
    let mut shown = openapi::example(request.operation.name);
    shown["sha"] = id.to_string().into();
    shown["url"] = url(state, request, "trees", id);
    Answer::new(201, shown)
}

pub fn commit(state: &mut State, request: &Request) -> Answer {
    let git = git(state, request);
    let tree = object(&git, request.text("tree")).and_then(|id| git.find_tree(id).ok());
    let Some(tree) = tree else { return Answer::error(422, "Tree SHA does not exist") };
    let parents = request.body["parents"].as_array().into_iter().flatten();
    let parents: Option<Vec<git2::Commit<'_>>> =
        parents.map(|parent| git.find_commit(object(&git, parent.as_str())?).ok()).collect();
    let Some(parents) = parents else {
        return Answer::error(422, "Parent SHA does not exist or is not a commit object");
    };
    let login = request.login();
    let time = git2::Time::new(state.ticks + 1_747_735_200, 0);
    let signature = git2::Signature::new(&login, &format!("{login}@users.noreply.github.com"), &time).unwrap();
    let message = request.text("message").unwrap_or_default();
    let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
    let id = git.commit(None, &signature, &signature, message, &tree, &parents).unwrap();
    let mut shown = openapi::example(request.operation.name);
    shown["sha"] = id.to_string().into();
    shown["message"] = message.into();
    shown["tree"]["sha"] = tree.id().to_string().into();
    // GitHub signs for machines that leave the author to it.
    let signed = request.token.as_ref().is_some_and(super::Token::is_machine)
        && request.body["author"].is_null()
        && request.body["committer"].is_null();
    shown["verification"]["verified"] = signed.into();
    Answer::new(201, shown)
}

fn object(git: &Repository, sha: Option<&str>) -> Option<Oid> {
    let id = Oid::from_str(sha?).ok()?;
    git.find_object(id, Some(ObjectType::Any)).ok().map(|found| found.id())
}

fn url(state: &State, request: &Request, kind: &str, id: Oid) -> Value {
    format!("{}/repos/{}/git/{kind}/{id}", state.url, request.repo).into()
}

fn show(reference: &git2::Reference<'_>) -> Value {
    let mut shown = openapi::example("GET /repos/{owner}/{repo}/git/ref/{ref}");
    shown["ref"] = reference.name().unwrap().into();
    shown["object"]["sha"] = reference.target().unwrap().to_string().into();
    shown["object"]["type"] = "commit".into();
    shown
}
