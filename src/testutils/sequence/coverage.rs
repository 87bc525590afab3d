//! What the sequences have to reach.

use super::std::{cell::RefCell, fmt::Display, println};
use super::*;

/// How often something was reached.
#[derive(Default)]
pub struct Coverage(RefCell<BTreeMap<String, u32>>);

impl Coverage {
    fn reached(&self, what: &str, end: impl Display) {
        *self.0.borrow_mut().entry(format!("{what} = {end}")).or_default() += 1;
    }

    pub fn print(&self) {
        self.0.borrow().iter().for_each(|(what, count)| println!("{count:7} {what}"));
    }

    /// Asserts that there is nothing unlisted in it and, but for short runs, everything.
    pub fn assert_complete(self, shorter: bool) {
        let (everything, reached) = (everything(), self.0.into_inner().into_keys().collect());
        let (missing, unlisted): (Vec<_>, Vec<_>) =
            (everything.difference(&reached).collect(), reached.difference(&everything).collect());
        assert!(shorter || missing.is_empty(), "never reached: {missing:?}");
        assert!(unlisted.is_empty(), "reached, and not listed: {unlisted:?}");
    }
}

/// What a run has to reach, and nothing else: the success and each error of each call, and each step of the life cycles.
const EVERYTHING: [&str; 35] = [
    "Initialize = Ok AlreadyInitialized InvalidInput",
    "SetAdmin = Ok NotInitialized InvalidInput",
    "RegisterProsumer = Ok NotInitialized AmountOverflow",
    "RegisterMeter = Ok NotInitialized ProsumerNotRegistered InvalidInput",
    "CreateAgreement = Ok NotInitialized ProsumerNotRegistered InvalidInput SelfSharingNotAllowed DeliveryDeadlinePassed AmountOverflow",
    "FundAgreement = Ok NotInitialized InvalidInput AgreementNotFound NotAuthorized AgreementNotActive DeliveryDeadlinePassed \
     AgreementFunded DeliveryStarted MeterNotCertified PaymentFailed",
    "CancelAgreement = Ok NotInitialized AgreementNotFound NotAuthorized AgreementNotActive AgreementFunded",
    "ClaimRefund = Ok NotInitialized AgreementNotFound NothingToRefund PaymentFailed",
    "DeliverEnergy = Ok NotInitialized AgreementNotFound NotAuthorized AgreementNotActive DeliveryDeadlinePassed InvalidInput \
     InsufficientEnergy TooManyTransactions InvalidMeterReading",
    "SettlePayment = Ok NotInitialized TransactionNotFound NotAuthorized TransactionAlreadySettled TransactionDisputed ReviewPeriodOpen \
     PaymentFailed",
    "SettleAgreement = Ok NotInitialized AgreementNotFound NotAuthorized TransactionNotFound ReviewPeriodOpen NothingToSettle \
     PaymentFailed",
    "DisputeTransaction = Ok NotInitialized TransactionNotFound NotAuthorized TransactionAlreadySettled TransactionDisputed \
     DisputeAlreadyResolved DepositTrustsMeter",
    "ResolveDispute = Ok NotInitialized TransactionNotFound TransactionNotDisputed NotAuthorized InvalidInput",
    "CloseDispute = Ok NotInitialized TransactionNotFound TransactionNotDisputed ArbitrationPeriodOpen",
    "get_config = Ok NotInitialized",
    "get_prosumer = Ok NotInitialized ProsumerNotRegistered",
    "get_agreement = Ok NotInitialized AgreementNotFound",
    "get_agreement_state = Ok NotInitialized AgreementNotFound",
    "get_transaction = Ok NotInitialized TransactionNotFound",
    "get_transaction_states = Ok NotInitialized AgreementNotFound",
    "get_prosumer_count = Ok NotInitialized",
    "get_transaction_history = Ok NotInitialized ProsumerNotRegistered",
    "get_agreement_page = Ok NotInitialized ProsumerNotRegistered AgreementNotFound",
    "get_agreement_transactions = Ok NotInitialized AgreementNotFound",
    "agreement Active = Delivered Settled Cancelled Expired",
    "agreement Delivered = Settled",
    "transaction Delivered = Settled Disputed",
    "transaction Disputed = Delivered Settled",
    "deposit = Reviewed-without-a-meter Reviewed-with-a-meter Metered-with-a-meter",
    "payment at once = paid refused-to-provider refused-to-contract clawed-back",
    "paid at once = joins-the-day another-day after-a-refusal",
    "settled together = 1 several 40",
    "left unsettled = disputed in-review newer",
    "reading = of-an-exchanged-meter highest a-second-too-early a-kwh-before-its-time",
    "ids = used-up",
];

fn everything() -> BTreeSet<String> {
    let all = EVERYTHING.iter().map(|line| line.split_once(" = ").unwrap_or_default());
    all.flat_map(|(what, ends)| ends.split_whitespace().map(move |end| format!("{what} = {end}"))).collect()
}

impl Run<'_> {
    pub fn reached(&self, what: &str, end: impl Display) {
        self.coverage.reached(what, end);
    }

    /// Notes a call's outcome, and what it shows of the life cycles.
    pub fn note(&self, call: Call, answer: Result<u64, SharingError>, events: &[Event]) {
        let (books, name) = (&self.model.books, format!("{call:?}"));
        self.reached(name.split('(').next().unwrap_or_default(), outcome(&answer));
        match (call, answer) {
            (Call::CreateAgreement(_, _, kwh, price, _), Err(SharingError::AmountOverflow))
                if kwh.checked_mul(price).is_some() =>
            {
                self.reached("ids", "used-up");
            }
            (Call::FundAgreement(id, ..), Ok(_)) => {
                let agreement = &books.agreements[&id];
                let meter = books.prosumers[&agreement.provider].meter.map_or("without", |_| "with");
                self.reached("deposit", format!("{:?}-{meter}-a-meter", agreement.deposit))
            }
            (Call::DeliverEnergy(id, kwh, ..), Ok(_)) => self.note_delivery(&books.agreements[&id], kwh),
            (Call::DeliverEnergy(id, _, reading, _), Err(SharingError::InvalidMeterReading)) => {
                let seller = &books.prosumers[&books.agreements[&id].provider];
                let risen = reading.saturating_sub(seller.reading);
                if (1..=HIGHEST_READING).contains(&risen)
                    && seller.can_export(risen - 1).checked_sub(1) == Some(self.model.now)
                {
                    self.reached("reading", "a-second-too-early");
                }
            }
            (Call::SettleAgreement(id, through, _), Ok(_)) => {
                self.note_settlement(&books.agreements[&id], through, events)
            }
            _ => {}
        }
    }

    fn note_delivery(&self, agreement: &Agreement, kwh: u64) {
        let frozen = &self.model.token.frozen;
        let mut newest = agreement.transactions.iter().rev().map(|id| &self.model.books.transactions[id]);
        let (new, last) = (newest.next().unwrap(), newest.next());
        if last.is_some_and(|last| new.reading <= last.reading) {
            self.reached("reading", "of-an-exchanged-meter");
        }
        if self.model.books.prosumers[&agreement.provider].read_at > self.model.now {
            self.reached("reading", "a-kwh-before-its-time");
        }
        if new.reading == HIGHEST_READING {
            self.reached("reading", "highest");
        }
        if new.at_once {
            match last {
                _ if new.kwh > kwh => self.reached("paid at once", "joins-the-day"),
                Some(last) if last.at_once => self.reached("paid at once", "another-day"),
                Some(last) if last.metered && last.day() == new.day() => {
                    self.reached("paid at once", "after-a-refusal")
                }
                _ => {}
            }
        }
        if new.metered && agreement.deposit == Deposit::Metered {
            let outcome = match new.settled_at {
                Some(_) => "paid",
                None if frozen.contains(&CONTRACT) => "refused-to-contract",
                None if frozen.contains(&agreement.provider) => "refused-to-provider",
                None => "clawed-back",
            };
            self.reached("payment at once", outcome);
        }
    }

    fn note_settlement(&self, agreement: &Agreement, through: u64, events: &[Event]) {
        match events.iter().filter(|event| event.name == "payment_settled").count() {
            1 => self.reached("settled together", "1"),
            FORTY => self.reached("settled together", "40"),
            _ => self.reached("settled together", "several"),
        }
        for id in &agreement.transactions {
            match self.model.books.transactions[id].status() {
                TransactionStatus::Delivered if *id > through => self.reached("left unsettled", "newer"),
                TransactionStatus::Delivered => self.reached("left unsettled", "in-review"),
                TransactionStatus::Disputed if *id < through => self.reached("left unsettled", "disputed"),
                _ => {}
            }
        }
    }
}

pub fn outcome<T>(answer: &Result<T, SharingError>) -> String {
    answer.as_ref().map_or_else(|error| format!("{error:?}"), |_| "Ok".into())
}
