//! Requests made of a large history.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use glassline_testkit::Rng;
use strum::VariantArray as _;

use super::client::{Answered, HistoryClient};
use super::corpus::{COMMON, Corpus, RARE, RARE_CJK, RARE_CJK_PAIR};
use super::stored::{LARGEST_ROOM, SMALL_ROOM};
use crate::results::{Figures, Measure};
use crate::stats::quantile;
use crate::workloads::one_at_a_time::times;

/// A question that takes this long in all is not asked again.
const TIME_PER_QUESTION: Duration = Duration::from_secs(10);
/// Trigrams of all texts, in a text that does not occur.
const PHRASE_WORDS: usize = 6;

#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(const_into_str)]
pub enum Question {
    #[strum(serialize = "join: hello until welcome and 50 messages")]
    Join,
    #[strum(serialize = "join, while another searches for two Chinese characters")]
    JoinBesideSearch,
    #[strum(serialize = "page: the latest 200")]
    Latest,
    #[strum(serialize = "page: 200 before a random number")]
    Before,
    #[strum(serialize = "page: 200 around a random number")]
    Around,
    #[strum(serialize = "page: 200 after a random number")]
    After,
    #[strum(serialize = "search: a word in every second message")]
    Common,
    #[strum(serialize = "search: a word in one of 150,000")]
    Rare,
    #[strum(serialize = "search: three Chinese characters in one of 150,000")]
    RareCjk,
    #[strum(serialize = "search: two letters that are everywhere")]
    Pair,
    #[strum(serialize = "search: two Chinese characters in one of 150,000")]
    RareCjkPair,
    #[strum(serialize = "search: two characters that are nowhere, in a small room")]
    RarePairInSmallRoom,
    #[strum(serialize = "search: what has no piece anywhere")]
    Unknown,
    #[strum(serialize = "search: common words in a row that no message holds")]
    UnknownPhrase,
    #[strum(serialize = "search: that rare word, in a small room")]
    RareInSmallRoom,
}

impl Question {
    fn room(self) -> &'static str {
        match self {
            Self::RarePairInSmallRoom | Self::RareInSmallRoom => SMALL_ROOM,
            _ => LARGEST_ROOM,
        }
    }

    /// Without its last brace; nothing for a join.
    fn request(self, newest: u64, rng: &mut Rng, corpus: &Corpus) -> Option<String> {
        let room = self.room();
        let page = |range: String| Some(format!(r#"{{"type":"history","room":"{room}"{range}"#));
        let search = |query: &str| Some(format!(r#"{{"type":"search","room":"{room}","query":"{query}""#));
        let mut anywhere = || 1 + rng.below(newest);
        match self {
            Self::Join | Self::JoinBesideSearch => None,
            Self::Latest => page(String::new()),
            Self::Before => page(format!(r#","before":{}"#, anywhere())),
            Self::Around => page(format!(r#","around":{}"#, anywhere())),
            Self::After => page(format!(r#","after":{}"#, anywhere())),
            Self::Common => search(COMMON),
            Self::Rare | Self::RareInSmallRoom => search(RARE),
            Self::RareCjk => search(RARE_CJK),
            Self::Pair => search(&COMMON[..2]),
            Self::RareCjkPair => search(RARE_CJK_PAIR),
            Self::RarePairInSmallRoom => search("##"),
            Self::Unknown => search("#@#@#"),
            Self::UnknownPhrase => search(&corpus.common_phrase(PHRASE_WORDS)),
        }
    }

    /// Returns whether there must be messages in the answer.
    fn finds(self) -> bool {
        matches!(self, Self::Join | Self::Latest | Self::Around | Self::Common | Self::Pair)
    }
}

/// Asks everything in turn, so that nothing is asked twice in a row.
pub fn ask_all(addr: SocketAddr, samples: usize, seed: u64) -> Result<Vec<(Question, Figures)>> {
    let (mut rng, corpus) = (Rng::new(seed), Corpus::new(seed));
    let mut answers: Vec<(Question, Vec<Answered>)> =
        Question::VARIANTS.iter().map(|&question| (question, Vec::new())).collect();
    let (mut client, first) = HistoryClient::join(addr, "asker", LARGEST_ROOM)?;
    let newest = first.newest.context("the largest room is empty")?;
    client.ask(&format!(r#"{{"type":"join","room":"{SMALL_ROOM}""#)).context("the small room cannot be joined")?;
    for sample in 0..samples {
        for (question, answers) in &mut answers {
            let spent: Duration = answers.iter().map(|answered| answered.took).sum();
            if spent > TIME_PER_QUESTION {
                continue;
            }
            let joiner = format!("n{sample}");
            let join = || HistoryClient::join(addr, &joiner, question.room()).map(|(_, answered)| answered);
            let answered = match question.request(newest, &mut rng, &corpus) {
                Some(request) => client.ask(&request),
                None if *question == Question::JoinBesideSearch => join_beside(&mut client, newest, join),
                None => join(),
            };
            let answered = answered.with_context(|| question.into_str())?;
            ensure!(answered.messages > 0 || !question.finds(), "nothing found: {}", question.into_str());
            answers.push(answered);
        }
    }
    answers.into_iter().map(|(question, answers)| Ok((question, summed_up(&answers)?))).collect()
}

/// Joins while a search is on its way that finds little and looks at much.
fn join_beside(client: &mut HistoryClient, newest: u64, join: impl FnOnce() -> Result<Answered>) -> Result<Answered> {
    let (mut rng, corpus) = (Rng::new(newest), Corpus::new(newest));
    let search = Question::RareCjkPair.request(newest, &mut rng, &corpus).context("nothing to search for")?;
    let asked_at = Instant::now();
    client.put(&search)?;
    let joined = join()?;
    client.answer(asked_at)?;
    Ok(joined)
}

fn summed_up(answers: &[Answered]) -> Result<Figures> {
    let millis: Vec<f64> = answers.iter().map(|answered| answered.took.as_secs_f64() * 1e3).collect();
    let mut figures = times(&millis)?;
    let found: Vec<f64> = answers.iter().map(|answered| answered.messages as f64).collect();
    let given_up = answers.iter().filter(|answered| answered.given_up).count();
    figures.put(Measure::Found, quantile(&found, 0.5).context("nothing was asked")?);
    figures.put(Measure::BusyAnswersPercent, given_up as f64 * 100.0 / answers.len() as f64);
    Ok(figures)
}
