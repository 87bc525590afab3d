//! The ledger's entries, with a journal for rollback and transaction meta.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::rc::Rc;

use crate::xdr::*;
use soroban_env_host::ledger_info::get_key_durability;
use soroban_env_host::storage::{EntryWithLiveUntil, SnapshotSource};
use soroban_env_host::HostError;

/// An entry and, for contract data and code, the last ledger it lives in.
#[derive(Clone, PartialEq)]
pub struct Slot {
    pub entry: Rc<LedgerEntry>,
    pub live_until: Option<u32>,
}

impl Slot {
    pub fn new(data: LedgerEntryData, seq: u32, live_until: Option<u32>) -> Self {
        let entry = LedgerEntry { last_modified_ledger_seq: seq, data, ext: LedgerEntryExt::V0 };
        Self { entry: Rc::new(entry), live_until }
    }

    pub fn is_live(&self, seq: u32) -> bool {
        self.live_until.is_none_or(|until| until >= seq)
    }
}

/// Entries stay in place when they expire: temporary ones are then treated
/// as absent until they are evicted, persistent ones as archived.
#[derive(Clone, Default)]
pub struct State {
    slots: BTreeMap<LedgerKey, Slot>,
    /// Previous values of what was written since the last `commit`.
    journal: Vec<(LedgerKey, Option<Slot>)>,
    /// Where the last scan for expired temporary entries ended.
    scanned: Option<LedgerKey>,
}

/// How many entries a ledger scans for expired ones.
const EVICTION_SCAN: usize = 1000;

impl State {
    pub fn get(&self, key: &LedgerKey) -> Option<&Slot> {
        self.slots.get(key)
    }

    /// The entry as clients may see it: not if it is an expired temporary one.
    pub fn visible(&self, key: &LedgerKey, seq: u32) -> Option<&Slot> {
        let temporary = get_key_durability(key) == Some(ContractDataDurability::Temporary);
        self.get(key).filter(|slot| !temporary || slot.is_live(seq))
    }

    pub fn put(&mut self, slot: Slot) {
        let key = slot.entry.to_key();
        let before = self.slots.insert(key.clone(), slot);
        self.journal.push((key, before));
    }

    pub fn remove(&mut self, key: &LedgerKey) {
        if let Some(before) = self.slots.remove(key) {
            self.journal.push((key.clone(), Some(before)));
        }
    }

    pub fn account(&self, id: &AccountId) -> Option<AccountEntry> {
        let key = LedgerKey::Account(LedgerKeyAccount { account_id: id.clone() });
        match &self.get(&key)?.entry.data {
            LedgerEntryData::Account(account) => Some(account.clone()),
            _ => None,
        }
    }

    pub fn put_account(&mut self, account: AccountEntry, seq: u32) {
        self.put(Slot::new(LedgerEntryData::Account(account), seq, None));
    }

    pub fn trustline(&self, id: &AccountId, asset: &TrustLineAsset) -> Option<TrustLineEntry> {
        match &self.get(&trustline_key(id, asset))?.entry.data {
            LedgerEntryData::Trustline(line) => Some(line.clone()),
            _ => None,
        }
    }

    pub fn put_trustline(&mut self, line: TrustLineEntry, seq: u32) {
        self.put(Slot::new(LedgerEntryData::Trustline(line), seq, None));
    }

    /// A point to roll back to, or to list changes from.
    pub fn mark(&self) -> usize {
        self.journal.len()
    }

    pub fn rollback(&mut self, mark: usize) {
        while self.journal.len() > mark {
            match self.journal.pop() {
                Some((_, Some(slot))) => self.slots.insert(slot.entry.to_key(), slot),
                Some((key, None)) => self.slots.remove(&key),
                None => None,
            };
        }
    }

    pub fn commit(&mut self) {
        self.journal.clear();
    }

    /// Removes expired temporary entries, of the next thousand entries.
    pub fn evict(&mut self, seq: u32) -> Vec<LedgerKey> {
        let after = self.scanned.take().map_or(Bound::Unbounded, Bound::Excluded);
        let mut scan = self.slots.range((after, Bound::Unbounded));
        let mut expired = vec![];
        for (key, slot) in scan.by_ref().take(EVICTION_SCAN) {
            if !slot.is_live(seq) && get_key_durability(key) == Some(ContractDataDurability::Temporary) {
                expired.push(key.clone());
            }
            self.scanned = Some(key.clone());
        }
        if scan.next().is_none() {
            self.scanned = None;
        }
        for key in &expired {
            self.remove(key);
        }
        expired
    }

    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.values()
    }

    /// What changed since `mark`, in the form transaction meta has it.
    pub fn changes(&self, mark: usize, seq: u32) -> LedgerEntryChanges {
        let mut changes = vec![];
        let mut first: BTreeMap<&LedgerKey, &Option<Slot>> = BTreeMap::new();
        for (key, before) in &self.journal[mark..] {
            first.entry(key).or_insert(before);
        }
        for (key, before) in first {
            push_changes(&mut changes, key, before.as_ref(), self.get(key), seq);
        }
        LedgerEntryChanges(list(changes))
    }
}

/// Makes a state from what ledgers say has changed. An entry's life is an
/// entry of its own there, which names only the hash of the other's key.
pub struct Replay<'a> {
    state: &'a mut State,
    keys: HashMap<[u8; 32], LedgerKey>,
}

impl<'a> Replay<'a> {
    pub fn new(state: &'a mut State) -> Self {
        Self { state, keys: HashMap::new() }
    }

    pub fn put(&mut self, slot: Slot) {
        let key = slot.entry.to_key();
        if get_key_durability(&key).is_some() {
            self.keys.insert(sha256(&encode(&key)), key.clone());
        }
        self.state.slots.insert(key, slot);
    }

    pub fn apply(&mut self, changes: &LedgerEntryChanges) {
        use LedgerEntryChange as C;
        for change in changes.0.iter() {
            match change {
                C::Created(entry) | C::Updated(entry) | C::Restored(entry) => self.apply_entry(entry),
                C::Removed(key) => self.remove(key),
                C::State(_) => {}
            }
        }
    }

    fn apply_entry(&mut self, entry: &LedgerEntry) {
        if let LedgerEntryData::Ttl(ttl) = &entry.data {
            let slot = self.keys.get(&ttl.key_hash.0).and_then(|key| self.state.slots.get_mut(key));
            if let Some(slot) = slot {
                slot.live_until = Some(ttl.live_until_ledger_seq);
            }
            return;
        }
        let live_until = self.state.get(&entry.to_key()).and_then(|slot| slot.live_until);
        self.put(Slot { entry: Rc::new(entry.clone()), live_until });
    }

    pub fn remove(&mut self, key: &LedgerKey) {
        self.state.slots.remove(key);
    }
}

fn push_changes(
    changes: &mut Vec<LedgerEntryChange>,
    key: &LedgerKey,
    before: Option<&Slot>,
    after: Option<&Slot>,
    seq: u32,
) {
    use LedgerEntryChange as C;
    let entry = |slot: &Slot| slot.entry.as_ref().clone();
    // An expired temporary entry is gone, an expired persistent one archived.
    let expired = before.is_some_and(|slot| !slot.is_live(seq));
    let archived = expired && get_key_durability(key) == Some(ContractDataDurability::Persistent);
    match (before.filter(|_| !expired || archived), after) {
        (None, None) => {}
        (None, Some(new)) => {
            changes.push(C::Created(entry(new)));
            changes.extend(ttl_entry(key, new, seq).map(C::Created));
        }
        (Some(old), None) => {
            changes.extend([C::State(entry(old)), C::Removed(key.clone())]);
            if let Some(ttl) = ttl_entry(key, old, old.entry.last_modified_ledger_seq) {
                let ttl_key = ttl.to_key();
                changes.extend([C::State(ttl), C::Removed(ttl_key)]);
            }
        }
        (Some(old), Some(new)) => {
            if archived {
                changes.push(C::Restored(entry(old)));
                changes.extend(ttl_entry(key, new, seq).map(C::Restored));
            }
            if old.entry != new.entry {
                changes.extend([C::State(entry(old)), C::Updated(entry(new))]);
            }
            if !archived && old.live_until != new.live_until {
                let old_seq = old.entry.last_modified_ledger_seq;
                changes.extend(ttl_entry(key, old, old_seq).map(C::State));
                changes.extend(ttl_entry(key, new, seq).map(C::Updated));
            }
        }
    }
}

fn ttl_entry(key: &LedgerKey, slot: &Slot, seq: u32) -> Option<LedgerEntry> {
    let data = LedgerEntryData::Ttl(TtlEntry {
        key_hash: Hash(sha256(&encode(key))),
        live_until_ledger_seq: slot.live_until?,
    });
    Some(LedgerEntry { last_modified_ledger_seq: seq, data, ext: LedgerEntryExt::V0 })
}

pub fn ttl_key(key: &LedgerKey) -> LedgerKey {
    LedgerKey::Ttl(LedgerKeyTtl { key_hash: Hash(sha256(&encode(key))) })
}

pub fn trustline_key(id: &AccountId, asset: &TrustLineAsset) -> LedgerKey {
    LedgerKey::Trustline(LedgerKeyTrustLine { account_id: id.clone(), asset: asset.clone() })
}

impl SnapshotSource for State {
    fn get(&self, key: &Rc<LedgerKey>) -> Result<Option<EntryWithLiveUntil>, HostError> {
        let slot = self.slots.get(key.as_ref());
        Ok(slot.map(|slot| (slot.entry.clone(), slot.live_until)))
    }
}
