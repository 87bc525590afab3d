//! What each getter answers, against the books; and the steps of the life cycles that show in the answers.

use soroban_sdk::{IntoVal, Val, Vec as Records};

use super::coverage::outcome;
use super::*;
use crate::{AgreementEntry, Config, EnergyAgreement, EnergyTransaction};

impl Run<'_> {
    /// The records that events name.
    pub fn check_touched(&mut self, events: &[Event]) -> Check {
        let (mut people, mut agreements, mut transactions) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for event in events.iter().filter(|event| event.name != "transfer") {
            people.extend(event.topics.iter().filter_map(|topic| topic.person()));
            agreements.extend(event.agreement());
            transactions.extend(event.data.get("agreement_id").map(|_| event.id()));
        }
        self.check_config()?;
        transactions.into_iter().try_for_each(|id| self.check_transaction(id))?;
        agreements.iter().try_for_each(|id| self.check_agreement(*id))?;
        for person in people {
            self.check_prosumer(person)?;
            self.check_history(person)?;
            self.check_page(person, None, 3)?;
            self.check_page(person, agreements.first().copied(), 2)?;
        }
        Ok(())
    }

    /// All records, and that nothing is found under an id that names nothing.
    pub fn check_everything(&mut self) -> Check {
        self.check_config()?;
        self.check_count()?;
        self.check_balances()?;
        let (nothing, books) = (0, &self.model.books);
        let agreements: Vec<_> = books.created.iter().copied().chain([nothing]).collect();
        let transactions: Vec<_> = books.transactions.keys().copied().chain([nothing]).collect();
        agreements.into_iter().try_for_each(|id| self.check_agreement(id))?;
        transactions.into_iter().try_for_each(|id| self.check_transaction(id))?;
        for person in 0..self.people.len() {
            self.check_prosumer(person)?;
            self.check_history(person)?;
            self.check_page(person, None, u32::MAX)?;
        }
        Ok(())
    }

    pub fn check_config(&self) -> Check {
        let expected = self.model.books.config();
        let expected = expected.map(|(admin, token)| Config {
            admin: self.people[admin].clone(),
            token_contract: self.people[token].clone(),
        });
        self.same("get_config", self.f.client.try_get_config(), expected)
    }

    pub fn check_count(&self) -> Check {
        let expected = self.model.books.config().map(|_| self.model.books.registered);
        self.same("get_prosumer_count", self.f.client.try_get_prosumer_count(), expected)
    }

    pub fn check_prosumer(&self, person: Person) -> Check {
        let expected = self.model.books.prosumer(person).map(|prosumer| Prosumer {
            number: prosumer.number,
            meter: prosumer.meter.map(|meter| self.people[meter].clone()),
            max_power_kw: prosumer.power,
            meter_start: prosumer.start,
            meter_reading: prosumer.reading,
            read_at: prosumer.read_at,
            energy_sold_kwh: prosumer.sold,
            agreements: prosumer.agreements,
            last_agreement: prosumer.last_agreement,
        });
        if let Ok(prosumer) = &expected {
            prop_assert!(
                prosumer.energy_sold_kwh <= prosumer.meter_reading - prosumer.meter_start,
                "sold more than was exported"
            );
        }
        self.same("get_prosumer", self.f.client.try_get_prosumer(&self.people[person]), expected)
    }

    pub fn check_agreement(&mut self, id: u64) -> Check {
        let found = self.model.books.agreement(id);
        self.same(
            "get_agreement",
            self.f.client.try_get_agreement(&id),
            found.map(|agreement| self.agreement(agreement)),
        )?;
        let state = found.map(|agreement| self.state(agreement));
        self.same("get_agreement_state", self.f.client.try_get_agreement_state(&id), state)?;
        let transactions = found.map(|agreement| self.transactions(&agreement.transactions));
        self.same(
            "get_agreement_transactions",
            listed(self.f.client.try_get_agreement_transactions(&id)),
            transactions,
        )?;
        let books = &self.model.books;
        let states = found.map(|agreement| {
            let transactions = agreement.transactions.iter().map(|id| &books.transactions[id]);
            let state = |transaction: &Transaction| TransactionState {
                metered: transaction.metered,
                ruled: transaction.ruled,
                disputed_at: transaction.disputed_at,
                provider_settles_from: transaction.provider_settles_from(),
            };
            transactions.map(state).collect()
        });
        self.same("get_transaction_states", listed(self.f.client.try_get_transaction_states(&id)), states)?;

        let Ok(new) = found.map(|agreement| agreement.status(self.model.now)) else { return Ok(()) };
        let old = self.agreement_status.insert(id, new).unwrap_or(AgreementStatus::Active);
        use AgreementStatus::*;
        if old != new {
            let allowed =
                matches!((old, new), (Active, Delivered | Settled | Cancelled | Expired) | (Delivered, Settled));
            prop_assert!(allowed, "{old:?} to {new:?}");
            self.reached(&format!("agreement {old:?}"), format!("{new:?}"));
        }
        Ok(())
    }

    pub fn check_transaction(&mut self, id: u64) -> Check {
        let found = self.model.books.transaction(id);
        let expected = found.map(|(transaction, agreement)| self.transaction(id, transaction, agreement));
        self.same("get_transaction", self.f.client.try_get_transaction(&id), expected)?;

        let Ok(new) = found.map(|(transaction, _)| transaction.status()) else { return Ok(()) };
        let old = self.transaction_status.insert(id, new).unwrap_or(TransactionStatus::Delivered);
        use TransactionStatus::*;
        if old != new {
            let allowed = matches!((old, new), (Delivered, Settled | Disputed) | (Disputed, Delivered | Settled));
            prop_assert!(allowed, "{old:?} to {new:?}");
            self.reached(&format!("transaction {old:?}"), format!("{new:?}"));
        }
        Ok(())
    }

    pub fn check_history(&self, person: Person) -> Check {
        let expected = self.model.books.history(person).map(|ids| self.transactions(&ids));
        self.same(
            "get_transaction_history",
            listed(self.f.client.try_get_transaction_history(&self.people[person])),
            expected,
        )
    }

    pub fn check_page(&self, person: Person, before: Option<u64>, limit: u32) -> Check {
        let books = &self.model.books;
        let expected = books
            .page(person, before, limit)
            .map(|ids| ids.into_iter().map(|id| self.entry(&books.agreements[&id])).collect());
        self.same(
            "get_agreement_page",
            listed(self.f.client.try_get_agreement_page(&self.people[person], &before, &limit)),
            expected,
        )
    }

    /// What a getter answers is what the books say.
    fn same<T: Debug + PartialEq, E: Debug>(
        &self,
        getter: &str,
        answer: Answer<T, E>,
        expected: Result<T, SharingError>,
    ) -> Check {
        let answer = typed(answer)?;
        self.reached(getter, outcome(&answer));
        prop_assert_eq!(answer, expected, "{}", getter);
        Ok(())
    }

    fn agreement(&self, agreement: &Agreement) -> EnergyAgreement {
        EnergyAgreement {
            agreement_id: agreement.id,
            provider: self.people[agreement.provider].clone(),
            consumer: self.people[agreement.consumer].clone(),
            energy_amount_kwh: agreement.kwh,
            price_per_kwh: agreement.price,
            total_amount: agreement.total,
            delivery_deadline: agreement.deadline,
            status: agreement.status(self.model.now),
            created_at: agreement.created_at,
        }
    }

    fn entry(&self, agreement: &Agreement) -> AgreementEntry {
        AgreementEntry { agreement: self.agreement(agreement), state: self.state(agreement) }
    }

    fn state(&self, agreement: &Agreement) -> AgreementState {
        let transactions = agreement.transactions.iter().map(|id| &self.model.books.transactions[id]);
        AgreementState {
            energy_delivered_kwh: agreement.delivered,
            pending_amount: agreement.pending,
            disputed_amount: transactions.filter(|known| known.disputed()).map(|known| known.payment).sum(),
            escrow_amount: agreement.escrow,
            transactions: agreement.transactions.len() as u64,
            deposit: agreement.deposit,
        }
    }

    fn transaction(&self, id: u64, transaction: &Transaction, agreement: &Agreement) -> EnergyTransaction {
        EnergyTransaction {
            transaction_id: id,
            agreement_id: agreement.id,
            provider: self.people[agreement.provider].clone(),
            consumer: self.people[agreement.consumer].clone(),
            energy_delivered_kwh: transaction.kwh,
            meter_reading: transaction.reading,
            payment_amount: transaction.payment,
            delivered_at: transaction.delivered_at,
            settled_at: transaction.settled_at,
            status: transaction.status(),
        }
    }

    fn transactions(&self, ids: &[u64]) -> Vec<EnergyTransaction> {
        let found = ids.iter().filter_map(|id| Some((id, self.model.books.transaction(*id).ok()?)));
        found.map(|(id, (transaction, agreement))| self.transaction(*id, transaction, agreement)).collect()
    }
}

/// An answer with its records one by one.
fn listed<T: TryFromVal<Env, Val> + IntoVal<Env, Val>, E>(answer: Answer<Records<T>, E>) -> Answer<Vec<T>, E> {
    answer.map(|answer| answer.map(|records| records.into_iter().collect()))
}
