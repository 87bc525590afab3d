//! Every call that moves tokens, as a value: what leads up to it, who pays whom, and what it asserts. `token` has it go wrong on a
//! misbehaving token, `faults` on the asset's real one.

use super::*;
use crate::{TransactionState, REVIEW_PERIOD};
use Party::*;
use Payment::*;

/// An agreement on the fixture's terms, and the delivery that is looked at, if there is one.
#[derive(Clone, Copy)]
pub struct Trade {
    pub agreement: u64,
    pub transaction: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Party {
    Consumer,
    Provider,
    Contract,
}

/// A call that moves tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Payment {
    Fund,
    /// A delivery of 40 kWh; the contract pays from a reviewed deposit.
    Settle {
        payer: Party,
        settler: Party,
    },
    /// Deliveries of 10 and 30 kWh. One of 20 between them is disputed, and one of 5 is newer than the settler asks
    /// for.
    SettleAll {
        payer: Party,
        settler: Party,
    },
    /// What an expired agreement did not deliver.
    Refund,
    /// A metered delivery of 40 kWh, from a metered deposit.
    Deliver,
}

/// Those that fail with the token.
pub const PAYMENTS: [Payment; 10] = [
    Fund,
    Settle { payer: Consumer, settler: Consumer },
    Settle { payer: Consumer, settler: Provider },
    Settle { payer: Contract, settler: Consumer },
    Settle { payer: Contract, settler: Provider },
    SettleAll { payer: Consumer, settler: Consumer },
    SettleAll { payer: Consumer, settler: Provider },
    SettleAll { payer: Contract, settler: Consumer },
    SettleAll { payer: Contract, settler: Provider },
    Refund,
];

pub fn all_payments() -> impl Iterator<Item = Payment> {
    PAYMENTS.into_iter().chain([Deliver])
}

impl Payment {
    /// What leads up to it.
    pub fn prepare(self, f: &Fixture) -> Trade {
        f.at(START);
        if self == Deliver {
            f.certify(0);
        }
        let agreement = if self.payer() == Contract { f.funded_agreement() } else { f.agreement() };
        let transaction = match self {
            Settle { .. } | Refund => f.deliver(agreement, 40),
            SettleAll { .. } => {
                f.deliver(agreement, 10);
                f.disputed(agreement, 20);
                let through = f.deliver(agreement, 30);
                f.deliver(agreement, 5);
                through
            }
            Fund | Deliver => transaction_id(agreement, 1),
        };
        match self {
            Settle { payer: Contract, settler: Provider } | SettleAll { payer: Contract, settler: Provider } => {
                f.at(START + REVIEW_PERIOD)
            }
            Refund => f.at(DEADLINE + 1),
            _ => {}
        }
        Trade { agreement, transaction }
    }

    pub fn call(self, f: &Fixture, Trade { agreement, transaction }: Trade) -> Answered {
        match self {
            Fund => plain(f.client.try_fund_agreement(&agreement, &f.consumer, &Deposit::Reviewed)),
            Settle { settler, .. } => plain(f.client.try_settle_payment(&transaction, f.party(settler))),
            SettleAll { settler, .. } => {
                plain(f.client.try_settle_agreement(&agreement, &transaction, f.party(settler)))
            }
            Refund => plain(f.client.try_claim_refund(&agreement)),
            Deliver => plain(f.client.try_deliver_energy(&agreement, &40, &40, &f.provider)),
        }
    }

    #[track_caller]
    pub fn succeeds(self, f: &Fixture, trade: Trade) {
        assert_eq!(self.call(f, trade), Ok(Ok(())), "{self:?}");
    }

    /// The token refuses: the call fails. A delivery is recorded all the same, and not paid.
    #[track_caller]
    pub fn fails(self, f: &Fixture, trade: Trade) {
        if self == Deliver {
            delivers_unpaid(f, trade);
        } else {
            f.fails(SharingError::PaymentFailed, |_| self.call(f, trade));
        }
    }

    /// How it is paid after it failed: by the same call, or for a delivery by its settlement.
    pub fn later(self) -> Self {
        if self == Deliver {
            Settle { payer: Contract, settler: Provider }
        } else {
            self
        }
    }

    /// What the same call answers after it succeeded.
    pub fn error_of_repetition(self) -> SharingError {
        match self {
            Fund => SharingError::AgreementFunded,
            Settle { .. } => SharingError::TransactionAlreadySettled,
            SettleAll { .. } => SharingError::NothingToSettle,
            Refund => SharingError::NothingToRefund,
            Deliver => SharingError::InvalidMeterReading,
        }
    }

    pub fn payer(self) -> Party {
        match self {
            Fund => Consumer,
            Settle { payer, .. } | SettleAll { payer, .. } => payer,
            Refund | Deliver => Contract,
        }
    }

    pub fn payee(self) -> Party {
        match self {
            Fund => Contract,
            Settle { .. } | SettleAll { .. } | Deliver => Provider,
            Refund => Consumer,
        }
    }

    pub fn amount(self) -> u64 {
        let kwh = match self {
            Fund => KWH,
            Settle { .. } | SettleAll { .. } | Deliver => 40,
            Refund => 60,
        };
        kwh * PRICE
    }

    /// How much more consumer, provider and contract then own.
    pub fn moved(self) -> [i128; 3] {
        let sign = |party| i128::from(party == self.payee()) - i128::from(party == self.payer());
        [Consumer, Provider, Contract].map(|party| sign(party) * i128::from(self.amount()))
    }

    pub fn token_calls(self) -> &'static [&'static str] {
        match self {
            Fund => &["balance", "transfer", "balance"],
            Deliver => &["balance", "transfer"],
            _ => &["transfer"],
        }
    }

    /// Which of them is the transfer.
    pub fn transfer(self) -> usize {
        self.token_calls().iter().position(|function| *function == "transfer").unwrap()
    }
}

/// Whether a call succeeded, or why not.
pub type Answered = Answer<(), ()>;

pub fn plain<T, E>(answer: Answer<T, E>) -> Answered {
    answer.map(|answer| answer.map(|_| ()).map_err(|_| ()))
}

pub fn sum(left: [i128; 3], right: [i128; 3]) -> [i128; 3] {
    core::array::from_fn(|i| left[i] + right[i])
}

/// A metered delivery that the token does not pay is recorded, unsettled, and nothing else happens.
#[track_caller]
fn delivers_unpaid(f: &Fixture, trade: Trade) {
    Deliver.succeeds(f, trade);
    let Trade { agreement: agreement_id, transaction: transaction_id } = trade;
    assert_eq!(f.events(), [f.delivered_event(transaction_id, agreement_id, 40, 40, true)]);
    let delivered_at = f.env.ledger().timestamp();
    let transaction = f.delivered(transaction_id, agreement_id, 40, 40);
    assert_eq!(f.client.get_transaction(&transaction_id), transaction);
    let state =
        TransactionState { metered: true, ruled: false, disputed_at: None, provider_settles_from: delivered_at };
    assert_eq!(f.transaction_state(transaction_id), state);
    f.assert_state(agreement_id, 40, 100_000_000, TOTAL);
    let register = f.client.get_prosumer(&f.provider);
    assert_eq!((register.meter_reading, register.energy_sold_kwh), (40, 40));
}

impl Fixture {
    pub fn party(&self, party: Party) -> &Address {
        match party {
            Consumer => &self.consumer,
            Provider => &self.provider,
            Contract => &self.contract,
        }
    }
}
