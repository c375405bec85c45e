//! Do the host folders of a description exist? libkrun and the guest's init tell it late, or not at all.

use std::fs;
use std::path::{Component, Path};

use crate::description::{bad, Description};
use crate::error::LauncherError;

/// Folders that the guest's init mounts, and so exist in every guest.
const MOUNTED_BY_INIT: [&str; 3] = ["/dev", "/proc", "/sys"];

/// # Errors
/// `BadDescription`, naming the field, for what is not a folder.
pub fn check(description: &Description) -> Result<(), LauncherError> {
    folder("root", &description.root)?;
    for (index, mount) in description.mounts.iter().enumerate() {
        folder(&format!("mounts[{index}].path"), &mount.path)?;
    }
    workdir(Path::new(&description.root), Path::new(&description.workdir))
}

fn folder(field: &str, path: &str) -> Result<(), LauncherError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(bad(format!("{field}: {path} is not a folder"))),
        Err(error) => Err(bad(format!("{field}: cannot open {path}: {error}")).with_errno(error.raw_os_error())),
    }
}

/// The guest's init would run the command in `/` without a word when its folder is missing.
fn workdir(root: &Path, workdir: &Path) -> Result<(), LauncherError> {
    if MOUNTED_BY_INIT.iter().any(|folder| workdir.starts_with(folder)) {
        return Ok(());
    }
    let mut path = root.to_path_buf();
    for part in workdir.components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::RootDir | Component::CurDir => continue,
            // Where `..` leads depends on links that only the guest follows rightly.
            Component::ParentDir | Component::Prefix(_) => return Ok(()),
        }
        match fs::symlink_metadata(&path) {
            // A link is followed inside the guest, where it may mean another folder than here.
            Ok(metadata) if metadata.is_symlink() => return Ok(()),
            Ok(metadata) if metadata.is_dir() => {}
            _ => {
                return Err(bad(format!(
                    "workdir: the root folder has no folder {}",
                    workdir.display()
                )))
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workdir_is_looked_for_inside_the_root() {
        let root = std::env::temp_dir().join(format!("krun-launcher-folders-{}", std::process::id()));
        fs::create_dir_all(root.join("srv/app")).unwrap();
        let _ = std::os::unix::fs::symlink("/anywhere", root.join("link"));
        for good in ["/", "/srv/app", "/proc/1", "/link/x", "/srv/../etc"] {
            assert!(workdir(&root, Path::new(good)).is_ok(), "{good}");
        }
        let error = workdir(&root, Path::new("/srv/missing")).unwrap_err();
        assert!(error.message.contains("/srv/missing"));
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn a_file_is_not_a_root() {
        assert!(folder("root", "/dev/null")
            .unwrap_err()
            .message
            .contains("root: /dev/null is not a folder"));
    }
}
