//! The app that the host serves: laid out from the repository's folders with a handler, or a package as somebody unpacked it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;

use super::{handler, repository};
use crate::host::stage;

/// A folder with host.json, the functions, the letters' templates and the handler.
#[derive(Debug)]
pub enum App {
    /// Laid out for one run, and deleted with this value.
    Staged(TempDir),
    /// Somebody's own folder, served as it is.
    Unpacked(PathBuf),
}

impl App {
    /// The repository's app with this executable as its handler.
    pub fn staged(handler: &Path) -> anyhow::Result<Self> {
        let folder = stage(repository(), handler)
            .with_context(|| format!("cannot lay out the app with {}", handler.display()))?;
        Ok(Self::Staged(folder))
    }

    /// The package that was named, else the repository's app with the handler that was named, or that cargo builds.
    pub(super) async fn of(
        package: Option<PathBuf>,
        handler: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        match (package, handler) {
            (Some(folder), _) => {
                let whole = folder.canonicalize();
                Ok(Self::Unpacked(whole.with_context(|| {
                    format!("there is no package at {}", folder.display())
                })?))
            }
            (None, Some(handler)) => Self::staged(&handler),
            (None, None) => Self::staged(&handler::build(repository()).await?),
        }
    }

    /// The folder itself.
    pub(super) fn root(&self) -> &Path {
        match self {
            Self::Staged(folder) => folder.path(),
            Self::Unpacked(folder) => folder,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_package_is_served_where_it_lies_and_stays_there() {
        let folder = tempfile::tempdir().unwrap();
        let app = App::of(Some(folder.path().to_owned()), None).await.unwrap();
        assert_eq!(app.root(), folder.path().canonicalize().unwrap());
        drop(app);
        assert!(folder.path().exists());
    }

    #[tokio::test]
    async fn a_package_that_is_not_there_is_named() {
        let error = App::of(Some("/no/such/package".into()), None)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "there is no package at /no/such/package");
    }
}
