//! One story from beginning to end: contacts are invited through the real handler, one redeems, the rest
//! expires, a crash is survived. Each step says what it expects; anything else ends the demo with an error.

mod cast;
mod crash;
mod door;
mod expire;
mod invite;
mod paper;
mod redeem;
mod rows;

use std::fmt::Debug;

use self::door::Door;
use url::Url;

pub use self::paper::Paper;
use super::App;
use super::repository;
use super::settings::Settings;
use super::stage::{Scene, Stage};
use crate::{Latency, Options};

/// What every act works with.
struct Story<'a> {
    stage: Stage,
    door: Door,
    paper: Paper<'a>,
}

/// Tells the story with this app, the host on `port` (0 takes a free one); fails at the first surprise.
pub async fn demo(app: App, port: u16, seed: u64, paper: Paper<'_>) -> anyhow::Result<()> {
    let stage = Stage::start(Scene {
        app,
        port,
        seed,
        latency: Latency::None,
        senders: Options::default().senders,
        settings: Settings::of_example(repository())?,
        key: None,
        fire_timers: false,
    })
    .await?;
    let mut story = Story {
        door: Door::new(stage.host.url())?,
        stage,
        paper,
    };
    let outcome = story.tell().await;
    story.stage.host.stop().await;
    outcome
}

impl Story<'_> {
    async fn tell(&mut self) -> anyhow::Result<()> {
        let started = self.stage.sandbox.clock.now();
        let contacts = cast::cast(&self.stage.sandbox.dataverse);
        self.open()?;
        self.introduce(&contacts)?;
        self.invite(&contacts).await?;
        self.redeem(&contacts[0]).await?;
        self.invite_again(&contacts).await?;
        self.expire(&contacts).await?;
        let latecomers = cast::latecomers(&self.stage.sandbox.dataverse);
        self.crash(&latecomers).await?;
        let took = self.stage.sandbox.clock.now().duration_since(started);
        self.close(contacts.len() + latecomers.len(), took.as_secs_f64())
    }

    fn open(&mut self) -> anyhow::Result<()> {
        let at = &self.stage.addresses;
        self.paper.title("The Functions host starts the handler")?;
        self.paper
            .aside("The handler is the real one; all that it talks to is imitated on loopback:")?;
        let service = |name: &str, url: &Url| [name.to_owned(), url.to_string()];
        self.paper.table(&[
            service("Dataverse", &at.dataverse),
            service("Microsoft Graph", &at.graph),
            service("Managed identity", &at.identity),
            service("Power Pages site", &at.portal),
        ])?;
        self.paper.text(self.stage.host.banner().trim_end())?;
        Ok(())
    }

    fn close(&mut self, contacts: usize, seconds: f64) -> anyhow::Result<()> {
        let letters = self.stage.sandbox.graph.letters().len();
        self.paper.end(&format!(
            "All as expected, in {seconds:.1} s: {contacts} contacts, {letters} letters, nobody got two."
        ))?;
        self.paper.text("Try it by hand: cargo run -p sandbox")?;
        Ok(())
    }
}

/// Ends the demo when something else came than was expected.
fn expect<T: Copy + PartialEq + Debug>(what: &str, came: T, expected: T) -> anyhow::Result<()> {
    anyhow::ensure!(
        came == expected,
        "{what}: expected {expected:?}, but {came:?} came"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surprise_tells_what_was_expected_and_what_came() {
        assert!(expect("the number of letters", 4, 4).is_ok());
        let error = expect("the number of letters", 5, 4).unwrap_err();
        let expected = "the number of letters: expected 4, but 5 came";
        assert_eq!(error.to_string(), expected);
    }
}
