//! The observations that the view keeps: the newest, within a bound of bytes, with those of the
//! filter at hand.

use std::collections::VecDeque;

use glassline_tap::{Applied, Frame, Observation};

use super::filter::Filter;

/// Bytes of observations that are kept; the oldest go first.
pub(super) const KEPT_BYTES_MAX: usize = 32 << 20;

/// Memory of an observation beside its bytes and texts, about.
const REPORT_BYTES: usize = 400;

/// Observations in their order. Each has a number of its own, from 0, which is never used again.
#[derive(Debug, Default)]
pub(super) struct Entries {
    kept: VecDeque<Observation>,
    /// Number of the oldest that is kept.
    first: u64,
    bytes: usize,
    filter: Filter,
    /// Number from which frames are kept but not shown, while the view is paused.
    paused_from: Option<u64>,
    /// Numbers of the kept observations that match the filter, in ascending order.
    matching: VecDeque<u64>,
}

impl Entries {
    /// Adds an observation. A frame is kept without its content as JSON, which its bytes are too.
    pub(super) fn push(&mut self, mut observation: Observation) {
        if let Observation::Arrived(_, meaning) = &mut observation {
            meaning.content = None;
        }
        let number = self.first + self.kept.len() as u64;
        if self.is_shown(number, &observation) {
            self.matching.push_back(number);
        }
        self.bytes += cost(&observation);
        self.kept.push_back(observation);
        while self.bytes > KEPT_BYTES_MAX
            && let Some(oldest) = self.kept.pop_front()
        {
            self.bytes -= cost(&oldest);
            if self.matching.front() == Some(&self.first) {
                self.matching.pop_front();
            }
            self.first += 1;
        }
    }

    /// Shows what matches this filter.
    pub(super) fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.select();
    }

    /// Keeps frames from now on without showing them.
    pub(super) fn pause(&mut self) {
        self.paused_from = Some(self.first + self.kept.len() as u64);
    }

    /// Shows the frames that came during the pause, as far as they are kept.
    pub(super) fn resume(&mut self) {
        self.paused_from = None;
        self.select();
    }

    fn select(&mut self) {
        let numbered = (self.first..).zip(&self.kept);
        let shown = numbered.filter(|(number, observation)| self.is_shown(*number, observation));
        self.matching = shown.map(|(number, _)| number).collect();
    }

    fn is_shown(&self, number: u64, observation: &Observation) -> bool {
        let waits = self.paused_from.is_some_and(|paused_from| number >= paused_from)
            && matches!(observation, Observation::Arrived(..) | Observation::Omitted { .. });
        !waits && self.filter.matches(observation)
    }

    /// Returns the rules that were applied to a frame and are kept, in their order.
    pub(super) fn applied_to(&self, frame: &Frame) -> impl Iterator<Item = &Applied> {
        let id = frame.id();
        self.kept.iter().filter_map(move |observation| match observation {
            Observation::Applied(applied) => Some(applied).filter(|applied| applied.frame == id),
            _ => None,
        })
    }

    /// Returns the filter.
    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Returns how many match the filter.
    pub(super) fn len(&self) -> usize {
        self.matching.len()
    }

    /// Returns the observation with this number, if it is kept.
    pub(super) fn get(&self, number: u64) -> Option<&Observation> {
        self.kept.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Returns the number of the observation in this place of those that match.
    pub(super) fn number(&self, place: usize) -> Option<u64> {
        self.matching.get(place).copied()
    }

    /// Returns the place of an observation among those that match; of the next one if it does not
    /// match or has gone.
    pub(super) fn place(&self, number: u64) -> usize {
        self.matching.partition_point(|kept| *kept < number)
    }

    /// Returns the place of the next observation that is wanted, from `place` on; backwards, the
    /// one before it.
    pub(super) fn find(
        &self,
        place: usize,
        is_backwards: bool,
        is_wanted: impl Fn(&Observation) -> bool,
    ) -> Option<usize> {
        let wanted = |place: &usize| self.number(*place).and_then(|number| self.get(number)).is_some_and(&is_wanted);
        if is_backwards { (0..place.min(self.len())).rev().find(wanted) } else { (place..self.len()).find(wanted) }
    }
}

/// Returns the memory of an observation, about.
fn cost(observation: &Observation) -> usize {
    let texts = match observation {
        Observation::Arrived(frame, meaning) => {
            let texts = [&meaning.speaker, &meaning.to, &meaning.room, &meaning.text];
            frame.bytes.len() + texts.iter().filter_map(|text| text.as_ref()).map(String::len).sum::<usize>()
        }
        Observation::Asked(ask) => ask.frame.bytes.len() + ask.rule.len(),
        Observation::Applied(applied) => applied.rule.len() + applied.effect.len(),
        Observation::Problem { text, .. } => text.len(),
        Observation::Opened { .. }
        | Observation::Intercepted { .. }
        | Observation::Ended { .. }
        | Observation::Closed { .. }
        | Observation::Omitted { .. } => 0,
    };
    REPORT_BYTES + texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tap::generator::Generator;

    #[test]
    fn memory_is_bounded_whatever_passes() {
        let mut generator = Generator::new(3);
        let mut entries = Entries::default();
        entries.set_filter(Filter::parse("name:bob").expect("a filter"));
        let long = generator.received("bob", &"x".repeat(50_000));
        let count = 1_000;
        for place in 0..count {
            entries.push(if place % 2 == 0 { long.clone() } else { generator.frame() });
        }
        assert!(entries.bytes <= KEPT_BYTES_MAX && entries.kept.len() > 500);
        assert_eq!(entries.bytes, entries.kept.iter().map(cost).sum::<usize>());
        assert_eq!(entries.first + entries.kept.len() as u64, count);
        let oldest = entries.number(0).expect("bob says something");
        assert!(oldest >= entries.first && entries.get(oldest).is_some() && entries.get(0).is_none());
    }

    #[test]
    fn a_filter_applies_to_what_is_kept_and_what_comes() {
        let mut generator = Generator::new(3);
        let mut entries = Entries::default();
        entries.push(generator.received("bob", "one"));
        entries.push(generator.received("carol", "two"));
        entries.set_filter(Filter::parse("name:carol").expect("a filter"));
        entries.push(generator.received("bob", "three"));
        entries.push(generator.received("carol", "four"));
        let places: Vec<_> = (0..4).map(|place| entries.number(place)).collect();
        assert_eq!(places, [Some(1), Some(3), None, None]);
        assert_eq!((entries.place(0), entries.place(1), entries.place(2), entries.place(9)), (0, 0, 1, 2));
        let four = Filter::parse("four").expect("a filter");
        assert_eq!(entries.find(0, false, |report| four.matches(report)), Some(1));
        assert_eq!(entries.find(1, true, |report| four.matches(report)), None);
    }
}
