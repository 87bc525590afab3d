//! The state that a delivery is planned on. The account's sequence number is read first and everything else of a ledger
//! that is no older: so of all that is planned on one number at most one is ever applied, whoever planned it.

use stellar_xdr::*;
use thiserror::Error;

use super::call::{transaction, Contract};
use super::records::{Entry, Prosumer, Recorded, Unreadable};
use super::rpc::{self, Rpc, Simulated};

/// The contract's limits: agreements of a page, and the longest term, in seconds.
const PAGE: u32 = 25;
const MAX_TERM: u64 = 366 * 86_400;

/// Offers of strangers are in the list as well. Nobody pays for so many.
const MOST_PAGES: u32 = 400;

#[derive(Debug, Error)]
pub enum Failure {
    #[error(transparent)]
    Rpc(#[from] rpc::Failure),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the contract refuses {function}: error {code}")]
    Refused { function: &'static str, code: u32 },
    #[error("{function} cannot be simulated: {reason}")]
    Fails { function: &'static str, reason: String },
    #[error("the server is behind: it shows ledger {ledger}, and {needed} is known")]
    Behind { ledger: u32, needed: u32 },
    #[error("there are more agreements than can be read: strangers may have made offers without end")]
    TooMany,
    #[error("the account of this key does not exist yet: send it some XLM for fees")]
    NoAccount,
}

/// What the chain shows of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub account: rpc::Account,
    pub prosumer: Prosumer,
    /// Those in which it sells, the newest first.
    pub agreements: Vec<Entry>,
    pub ledger: u32,
}

/// Reads what the contract shows to everybody.
pub struct Reader<'a> {
    pub rpc: &'a Rpc,
    pub contract: &'a Contract,
    /// Simulations are of this account, which need not exist.
    pub source: [u8; 32],
}

impl Reader<'_> {
    /// All of it, as far back as the agreement `since`, or as an agreement can still be open.
    pub fn view(&self, provider: &ScAddress, since: Option<u64>, now: u64, newest: u32) -> Result<View, Failure> {
        let account = self.rpc.account(&self.source)?.ok_or(Failure::NoAccount)?;
        let needed = newest.max(account.ledger);
        if account.ledger < needed {
            return Err(Failure::Behind { ledger: account.ledger, needed });
        }
        let (prosumer, ledger) = self.prosumer(provider, needed)?;
        let agreements = self.agreements(provider, since, now, needed)?;
        Ok(View { account, prosumer, agreements, ledger })
    }

    pub fn prosumer(&self, provider: &ScAddress, needed: u32) -> Result<(Prosumer, u32), Failure> {
        let (value, ledger) = self.get("get_prosumer", [ScVal::Address(provider.clone())], needed)?;
        Ok((Prosumer::read(&value)?, ledger))
    }

    pub fn agreements(
        &self,
        provider: &ScAddress,
        since: Option<u64>,
        now: u64,
        needed: u32,
    ) -> Result<Vec<Entry>, Failure> {
        let mut agreements = vec![];
        let mut before = ScVal::Void;
        for _ in 0..MOST_PAGES {
            let args = [ScVal::Address(provider.clone()), before, ScVal::U32(PAGE)];
            let (value, _) = self.get("get_agreement_page", args, needed)?;
            let page = Entry::read_page(&value)?;
            if page.len() > PAGE as usize {
                return Err(Unreadable::Missing("page as short as was asked for").into());
            }
            let Some(last) = page.last() else { return Ok(agreements) };
            before = ScVal::U64(last.agreement.id);
            let is_short = page.len() < PAGE as usize;
            let own: Vec<_> = page.into_iter().filter(|entry| entry.provider == *provider).collect();
            // Without accounts, what ended a year ago still has its part in files.
            let is_enough = own.last().is_some_and(|oldest| match since {
                Some(since) => oldest.agreement.id <= since,
                None => oldest.agreement.created_at.saturating_add(2 * MAX_TERM) < now,
            });
            agreements.extend(own);
            if is_short || is_enough {
                return Ok(agreements);
            }
        }
        Err(Failure::TooMany)
    }

    /// The deliveries of an agreement, the oldest first.
    pub fn transactions(&self, agreement_id: u64, needed: u32) -> Result<Vec<Recorded>, Failure> {
        let (value, _) = self.get("get_agreement_transactions", [ScVal::U64(agreement_id)], needed)?;
        Ok(Recorded::read_all(&value)?)
    }

    fn get(
        &self,
        function: &'static str,
        args: impl IntoIterator<Item = ScVal>,
        needed: u32,
    ) -> Result<(ScVal, u32), Failure> {
        let call = self.contract.call(function, args);
        match self.rpc.simulate(&transaction(&self.source, 0, &call, 0))? {
            Simulated::Succeeds(simulation) if simulation.ledger < needed => {
                Err(Failure::Behind { ledger: simulation.ledger, needed })
            }
            Simulated::Succeeds(simulation) => Ok((simulation.value, simulation.ledger)),
            Simulated::Refused(code) => Err(Failure::Refused { function, code }),
            Simulated::Fails(reason) => {
                let reason = reason.lines().next().unwrap_or_default().to_string();
                Err(Failure::Fails { function, reason })
            }
        }
    }
}
