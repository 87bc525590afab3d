//! What became of a call that was signed. It is sent until it is found, or until a ledger closed after its time without
//! it: before that, nothing else may be signed in its place.

use stellar_xdr::TransactionResultCode;

use crate::chain::rpc::{Found, Outcome, Sent};

/// A signed call whose end is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// When the ledger closed at which it was signed, and the last second of the ledger's clock in which it can be applied.
    signed_at: u64,
    max_time: u64,
    /// Some node may have it.
    may_land: bool,
    /// Why the last attempt to send it was refused.
    refusal: Option<TransactionResultCode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Sent(Sent),
    /// The answer to what was sent was lost, or there was none.
    SendUnanswered,
    Found(Found),
    AskUnanswered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Send,
    /// Ask for it by its hash.
    Ask,
    End(End),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Succeeded,
    /// It was applied, did nothing and cost its fee. The reason shows when it is simulated again.
    Failed,
    /// It was not applied, and cannot be any more.
    Gone,
    /// Whoever is asked does not remember ledgers of that time: what the contract recorded tells what became of it.
    Forgotten,
    /// No node took it. A used sequence number means that another call of this key was applied.
    Refused(TransactionResultCode),
}

impl InFlight {
    /// A call that was signed just now; it is sent first.
    pub fn new(signed_at: u64, max_time: u64) -> Self {
        Self { signed_at, max_time, may_land: false, refusal: None }
    }

    /// A call that an earlier run has signed, and may have sent; it is asked for first.
    pub fn restored(signed_at: u64, max_time: u64) -> Self {
        Self { may_land: true, ..Self::new(signed_at, max_time) }
    }

    /// What may be on its way is asked for before it is sent again.
    pub fn first(&self) -> Action {
        if self.may_land {
            Action::Ask
        } else {
            Action::Send
        }
    }

    pub fn after(&mut self, event: Event) -> Action {
        match event {
            Event::Sent(Sent::Pending) | Event::SendUnanswered => self.may_land = true,
            Event::Sent(Sent::TryAgainLater) | Event::AskUnanswered => {}
            Event::Sent(Sent::Refused(code)) => self.refusal = Some(code),
            Event::Found(found) => return self.after_asking(found),
        }
        Action::Ask
    }

    fn after_asking(&mut self, found: Found) -> Action {
        match found.outcome {
            Outcome::Succeeded => Action::End(End::Succeeded),
            Outcome::Failed => Action::End(End::Failed),
            Outcome::NotFound if found.oldest_close > self.signed_at => Action::End(End::Forgotten),
            Outcome::NotFound if found.latest_close > self.max_time => Action::End(End::Gone),
            Outcome::NotFound => match self.refusal.take() {
                Some(code) if !self.may_land => Action::End(End::Refused(code)),
                _ => Action::Send,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED_AT: u64 = 40;
    const MAX_TIME: u64 = 100;
    const BAD_SEQUENCE: TransactionResultCode = TransactionResultCode::TxBadSeq;

    fn found(outcome: Outcome, latest_close: u64) -> Event {
        Event::Found(Found {
            outcome,
            fee: 0,
            transaction_id: None,
            latest_ledger: 1,
            latest_close,
            oldest_close: SIGNED_AT,
        })
    }

    fn states() -> [InFlight; 4] {
        let refused = Some(BAD_SEQUENCE);
        [(false, None), (true, None), (false, refused), (true, refused)].map(|(may_land, refusal)| InFlight {
            signed_at: SIGNED_AT,
            max_time: MAX_TIME,
            may_land,
            refusal,
        })
    }

    /// What each state does after an event.
    fn actions(event: Event) -> [Action; 4] {
        states().map(|mut state| state.after(event))
    }

    #[test]
    fn after_whatever_was_answered_to_sending_it_is_asked_for() {
        for event in [
            Event::Sent(Sent::Pending),
            Event::Sent(Sent::TryAgainLater),
            Event::Sent(Sent::Refused(BAD_SEQUENCE)),
            Event::SendUnanswered,
            Event::AskUnanswered,
        ] {
            assert_eq!(actions(event), [Action::Ask; 4], "{event:?}");
        }
    }

    #[test]
    fn what_was_applied_has_ended_whatever_was_answered_before() {
        for late in [0, 1_000] {
            assert_eq!(actions(found(Outcome::Succeeded, late)), [Action::End(End::Succeeded); 4]);
            assert_eq!(actions(found(Outcome::Failed, late)), [Action::End(End::Failed); 4]);
        }
    }

    #[test]
    fn it_is_gone_only_when_a_ledger_closed_after_its_time() {
        assert_eq!(actions(found(Outcome::NotFound, MAX_TIME + 1)), [Action::End(End::Gone); 4]);
        let refused = Action::End(End::Refused(BAD_SEQUENCE));
        let expected = [Action::Send, Action::Send, refused, Action::Send];
        assert_eq!(actions(found(Outcome::NotFound, MAX_TIME)), expected);
    }

    #[test]
    fn what_the_network_has_forgotten_is_not_said_to_be_gone() {
        let forgotten = Found {
            outcome: Outcome::NotFound,
            fee: 0,
            transaction_id: None,
            latest_ledger: 1,
            latest_close: 10_000,
            oldest_close: SIGNED_AT + 1,
        };
        assert_eq!(actions(Event::Found(forgotten)), [Action::End(End::Forgotten); 4]);
    }

    #[test]
    fn a_refusal_ends_nothing_while_an_earlier_attempt_may_land() {
        let mut call = InFlight::new(SIGNED_AT, MAX_TIME);
        assert_eq!(call.after(Event::SendUnanswered), Action::Ask);
        assert_eq!(call.after(found(Outcome::NotFound, 50)), Action::Send);
        assert_eq!(call.after(Event::Sent(Sent::Refused(BAD_SEQUENCE))), Action::Ask);
        assert_eq!(call.after(found(Outcome::NotFound, 60)), Action::Send);
        assert_eq!(call.after(Event::Sent(Sent::Refused(BAD_SEQUENCE))), Action::Ask);
        assert_eq!(call.after(found(Outcome::Succeeded, 65)), Action::End(End::Succeeded));
    }

    #[test]
    fn what_an_earlier_run_signed_may_land() {
        let mut call = InFlight::restored(SIGNED_AT, MAX_TIME);
        assert_eq!(call.after(Event::Sent(Sent::Refused(BAD_SEQUENCE))), Action::Ask);
        assert_eq!(call.after(found(Outcome::NotFound, MAX_TIME)), Action::Send);
    }

    #[test]
    fn a_refusal_is_forgotten_when_it_is_sent_again() {
        let mut call = InFlight::new(SIGNED_AT, MAX_TIME);
        call.after(Event::Sent(Sent::Refused(TransactionResultCode::TxInsufficientFee)));
        call.after(Event::Sent(Sent::Pending));
        assert_eq!(call.after(found(Outcome::NotFound, 10)), Action::Send);
        assert_eq!(call.refusal, None);
    }
}
