//! The handler is killed between a batch's letters, and function-dispatch finishes its work.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use http::Method;
use jiff::SignedDuration;
use tokio::time::{sleep, timeout};

use super::{Story, cast::Contact, expect, invite::body, rows::standing};
use crate::{Fault, Rule, Service};

const KEY: &str = "demo-crash";

/// The handler dies once so many letters of the batch are out.
const LETTERS_BEFORE: u32 = 2;

/// Long enough for the handler to be killed while it waits for Exchange.
const HESITATION: Duration = Duration::from_secs(2);

/// What the kill left behind.
struct Wreck {
    letters: usize,
    killed: u32,
    successor: u32,
}

impl Story<'_> {
    /// Invites, kills, dispatches, and shows that everybody has one letter.
    pub(super) async fn crash(&mut self, contacts: &[Contact]) -> anyhow::Result<()> {
        self.paper
            .title("SIGKILL in the middle of a batch: function-dispatch finishes it")?;
        let before = self.stage.sandbox.graph.letters().len();
        self.paper
            .aside("Exchange takes two letters, then hesitates.")?;
        self.show_request(contacts, Some(KEY))?;
        self.hesitate();
        let body = body(contacts);
        let (answer, wreck) = tokio::join!(
            self.door.post("api/invitations", Some(KEY), &body),
            self.kill(before),
        );
        let (answer, wreck) = (answer?, wreck?);
        self.stage.sandbox.faults.clear();
        self.paper.text(&format!(
            "{} of {} letters are out when process {} is killed.\nThe caller gets {}. The host starts process {}.\n",
            wreck.letters,
            contacts.len(),
            wreck.killed,
            answer.status,
            wreck.successor,
        ))?;
        ensure!(
            answer.status.is_server_error(),
            "expected the killed request to fail, but {} came",
            answer.status
        );
        self.finish(contacts).await?;
        self.count_letters(contacts)?;
        self.repeat(contacts).await
    }

    /// Exchange takes the first letters, then answers nothing for a while and takes no more.
    fn hesitate(&self) {
        let rule = |fault| {
            Rule::on(Service::Graph, fault)
                .method(Method::POST)
                .path("/send")
                .inside_batch()
                .skip(LETTERS_BEFORE)
        };
        let faults = &self.stage.sandbox.faults;
        faults.add(rule(Fault::Delay(HESITATION)).times(1));
        faults.add(rule(Fault::DropBefore));
    }

    /// Kills the handler when enough letters are out, and waits for its successor.
    async fn kill(&self, before: usize) -> anyhow::Result<Wreck> {
        let (host, graph) = (&self.stage.host, &self.stage.sandbox.graph);
        let enough = before + LETTERS_BEFORE as usize;
        let letters = async {
            while graph.letters().len() < enough {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), letters)
            .await
            .context("no letter went out in 20 seconds")?;
        let killed = host.handler_pid().context("the handler is not running")?;
        host.kill_handler();
        host.ready().await?;
        Ok(Wreck {
            letters: graph.letters().len() - before,
            killed,
            successor: host.handler_pid().context("the handler is gone")?,
        })
    }

    async fn finish(&mut self, contacts: &[Contact]) -> anyhow::Result<()> {
        // Exchange may be about to send a draft that was just submitted: the handler gives it a minute.
        self.stage.sandbox.age(SignedDuration::from_mins(2));
        let run = self.stage.host.fire("function-dispatch").await?;
        self.paper.text(&format!(
            "Two minutes later, function-dispatch: {}\n",
            run.body["Logs"][0].as_str().unwrap_or_default()
        ))?;
        let settled = run.body["tally"]["settled"].as_u64();
        expect(
            "the entries settled",
            settled,
            u64::try_from(contacts.len()).ok(),
        )
    }

    fn count_letters(&mut self, contacts: &[Contact]) -> anyhow::Result<()> {
        let letters = self.stage.sandbox.graph.letters();
        let mut lines = Vec::new();
        for contact in contacts {
            let to = |to: &String| Some(to.as_str()) == contact.email;
            let own: Vec<_> = letters.iter().filter(|it| it.to.iter().any(to)).collect();
            let row = self.row(contact)?;
            let code = row["adx_invitationcode"].as_str().unwrap_or("none");
            expect(&format!("letters to {}", contact.name), own.len(), 1)?;
            expect(
                &format!("the row of {}", contact.name),
                standing(&row),
                "Sent",
            )?;
            ensure!(
                own[0].html.contains(code),
                "the letter to {} carries another code than the row",
                contact.name
            );
            let count = format!("{} letter, with the code of the row", own.len());
            lines.push([contact.name.clone(), standing(&row).to_owned(), count]);
        }
        Ok(self.paper.table(&lines)?)
    }

    /// The caller repeats its request, as Power Automate would.
    async fn repeat(&mut self, contacts: &[Contact]) -> anyhow::Result<()> {
        let before = self.stage.sandbox.graph.letters().len();
        self.paper
            .text("\nThe caller repeats its request with the same key:")?;
        let answer = self.post(contacts, Some(KEY)).await?.json();
        let (sent, batch) = (&answer["counts"]["sent"], &answer["batch"]);
        let row = self.row(&contacts[0])?;
        let all = u64::try_from(contacts.len()).ok();
        expect("the entries sent", sent.as_u64(), all)?;
        expect(
            "the batch",
            batch.as_i64(),
            row["importsequencenumber"].as_i64(),
        )?;
        let more = self.stage.sandbox.graph.letters().len() - before;
        expect("further letters", more, 0)?;
        self.paper.text(&format!(
            "It gets what became of its batch: {sent} sent. Letters since: {more}."
        ))?;
        Ok(())
    }
}
