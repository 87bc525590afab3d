//! Network settings, modelled on Mainnet.
//!
//! Sources: the per-transaction limits and fee rates are those of
//! `InvocationResourceLimits::mainnet()` and `CostEstimate::fee()` in
//! soroban-sdk 29.0.1 (`src/testutils/cost_estimate.rs`, a Mainnet snapshot
//! of 2026-07-10). What the SDK does not carry (TTLs, rent curve, transaction
//! size, per-ledger caps) is from the Mainnet settings in stellar/quickstart
//! (`local/core/etc/config-settings/mainnet.json`, commit 850f9c2d). Cost
//! parameters are the host's calibrated defaults, which that file repeats.

use crate::xdr::*;
use soroban_env_host::budget::Budget;

/// A version of the host runs one protocol only.
pub const PROTOCOL: u32 = 29;
pub const BASE_FEE: i64 = 100;
pub const BASE_RESERVE: u32 = 5_000_000;
pub const SECONDS_PER_LEDGER: u64 = 5;
/// The rate of rent when Mainnet's state has its target size.
pub const RENT_RATE: i64 = 10_000;
/// The host charges no less, whatever the settings say.
pub const MIN_RENT_RATE: i64 = 1000;

/// Operations of classic transactions.
pub const LEDGER_MAX_OPERATIONS: u64 = 1000;
pub const LEDGER_MAX_CONTRACT_TXS: u64 = 2000;
/// Of each thread that contracts run on.
pub const LEDGER_MAX_INSTRUCTIONS: u64 = 580_000_000;
pub const MAX_CLUSTERS: usize = 2;
pub const LEDGER_MAX_DISK_READ_ENTRIES: u64 = 1000;
pub const LEDGER_MAX_DISK_READ_BYTES: u64 = 400_000;
pub const LEDGER_MAX_WRITE_ENTRIES: u64 = 1000;
pub const LEDGER_MAX_WRITE_BYTES: u64 = 286_720;
pub const LEDGER_MAX_TXS_SIZE_BYTES: u64 = 266_240;

pub const TX_MAX_INSTRUCTIONS: u32 = 400_000_000;
pub const TX_MEMORY_LIMIT: u32 = 41_943_040;
pub const TX_MAX_DISK_READ_ENTRIES: u32 = 200;
pub const TX_MAX_DISK_READ_BYTES: u32 = 200_000;
pub const TX_MAX_WRITE_ENTRIES: u32 = 200;
pub const TX_MAX_WRITE_BYTES: u32 = 132_096;
pub const TX_MAX_FOOTPRINT_ENTRIES: u32 = 400;
pub const TX_MAX_EVENTS_BYTES: u32 = 16_384;
pub const TX_MAX_SIZE_BYTES: u32 = 132_096;
pub const MAX_CODE_BYTES: u32 = 131_072;
pub const MAX_DATA_KEY_BYTES: u32 = 250;
pub const MAX_DATA_ENTRY_BYTES: u32 = 65_536;
pub const MAX_ENTRY_TTL: u32 = 3_110_400;

/// Every setting as a ledger entry; the simulation loads its configuration
/// from these, and clients can read them with getLedgerEntries.
///
/// Rent depends on the size of the network's state. Here the state is said to
/// be at its target, where the rate is the one that is asked for.
pub fn config_entries(rent_rate: i64) -> Vec<ConfigSettingEntry> {
    use ConfigSettingEntry as E;
    let (cpu, memory) = cost_params();
    let state_target_size = 3_000_000_000;
    vec![
        E::ContractMaxSizeBytes(MAX_CODE_BYTES),
        E::ContractComputeV0(ConfigSettingContractComputeV0 {
            ledger_max_instructions: LEDGER_MAX_INSTRUCTIONS as i64,
            tx_max_instructions: TX_MAX_INSTRUCTIONS.into(),
            fee_rate_per_instructions_increment: 7,
            tx_memory_limit: TX_MEMORY_LIMIT,
        }),
        E::ContractLedgerCostV0(ConfigSettingContractLedgerCostV0 {
            ledger_max_disk_read_entries: LEDGER_MAX_DISK_READ_ENTRIES as u32,
            ledger_max_disk_read_bytes: LEDGER_MAX_DISK_READ_BYTES as u32,
            ledger_max_write_ledger_entries: LEDGER_MAX_WRITE_ENTRIES as u32,
            ledger_max_write_bytes: LEDGER_MAX_WRITE_BYTES as u32,
            tx_max_disk_read_entries: TX_MAX_DISK_READ_ENTRIES,
            tx_max_disk_read_bytes: TX_MAX_DISK_READ_BYTES,
            tx_max_write_ledger_entries: TX_MAX_WRITE_ENTRIES,
            tx_max_write_bytes: TX_MAX_WRITE_BYTES,
            fee_disk_read_ledger_entry: 1563,
            fee_write_ledger_entry: 2500,
            fee_disk_read1_kb: 447,
            soroban_state_target_size_bytes: state_target_size,
            rent_fee1_kb_soroban_state_size_low: -17_000,
            rent_fee1_kb_soroban_state_size_high: rent_rate,
            soroban_state_rent_fee_growth_factor: 5000,
        }),
        E::ContractHistoricalDataV0(ConfigSettingContractHistoricalDataV0 { fee_historical1_kb: 4059 }),
        E::ContractEventsV0(ConfigSettingContractEventsV0 {
            tx_max_contract_events_size_bytes: TX_MAX_EVENTS_BYTES,
            fee_contract_events1_kb: 5000,
        }),
        E::ContractBandwidthV0(ConfigSettingContractBandwidthV0 {
            ledger_max_txs_size_bytes: LEDGER_MAX_TXS_SIZE_BYTES as u32,
            tx_max_size_bytes: TX_MAX_SIZE_BYTES,
            fee_tx_size1_kb: 406,
        }),
        E::ContractCostParamsCpuInstructions(cpu),
        E::ContractCostParamsMemoryBytes(memory),
        E::ContractDataKeySizeBytes(MAX_DATA_KEY_BYTES),
        E::ContractDataEntrySizeBytes(MAX_DATA_ENTRY_BYTES),
        E::StateArchival(StateArchivalSettings {
            max_entry_ttl: MAX_ENTRY_TTL,
            min_temporary_ttl: 17_280,
            min_persistent_ttl: 2_073_600,
            persistent_rent_rate_denominator: 1215,
            temp_rent_rate_denominator: 2430,
            max_entries_to_archive: 1000,
            live_soroban_state_size_window_sample_size: 30,
            live_soroban_state_size_window_sample_period: 64,
            eviction_scan_size: 500_000,
            starting_eviction_scan_level: 7,
        }),
        E::ContractExecutionLanes(ConfigSettingContractExecutionLanesV0 {
            ledger_max_tx_count: LEDGER_MAX_CONTRACT_TXS as u32,
        }),
        E::LiveSorobanStateSizeWindow(list(vec![state_target_size as u64; 30])),
        E::EvictionIterator(EvictionIterator { bucket_list_level: 7, is_curr_bucket: true, bucket_file_offset: 0 }),
        E::ContractParallelComputeV0(ConfigSettingContractParallelComputeV0 {
            ledger_max_dependent_tx_clusters: MAX_CLUSTERS as u32,
        }),
        E::ContractLedgerCostExtV0(ConfigSettingContractLedgerCostExtV0 {
            tx_max_footprint_entries: TX_MAX_FOOTPRINT_ENTRIES,
            fee_write1_kb: 875,
        }),
        E::ScpTiming(ConfigSettingScpTiming {
            ledger_target_close_time_milliseconds: SECONDS_PER_LEDGER as u32 * 1000,
            nomination_timeout_initial_milliseconds: 1000,
            nomination_timeout_increment_milliseconds: 1000,
            ballot_timeout_initial_milliseconds: 1000,
            ballot_timeout_increment_milliseconds: 1000,
        }),
        E::FrozenLedgerKeys(FrozenLedgerKeys::default()),
        E::FreezeBypassTxs(FreezeBypassTxs::default()),
    ]
}

/// The host's default cost models. They are not public, so measure them: a
/// charge with input 0 costs the constant term, and linear terms are scaled
/// by 1/128.
fn cost_params() -> (ContractCostParams, ContractCostParams) {
    let entry = |const_term, linear_term| ContractCostParamEntry { ext: ExtensionPoint::V0, const_term, linear_term };
    let models = ContractCostType::VARIANTS.map(|ty| {
        let (cpu_const, mem_const) = measure(ty, 0);
        // The dearest pairings exceed the default budget at input 128, which
        // stops the memory charge; 16 keeps memory exact to 8/128 of a byte.
        let cpu_linear = measure(ty, 128).0 - cpu_const;
        let mem_linear = match measure(ty, 128).1 {
            0 => (measure(ty, 16).1 - mem_const) * 8,
            mem => mem - mem_const,
        };
        (entry(cpu_const, cpu_linear), entry(mem_const, mem_linear))
    });
    let (cpu, memory): (Vec<_>, Vec<_>) = models.into_iter().unzip();
    (ContractCostParams(list(cpu)), ContractCostParams(list(memory)))
}

fn measure(ty: ContractCostType, input: u64) -> (i64, i64) {
    let budget = Budget::default();
    let tracker = || budget.get_tracker(ty).expect("known cost type");
    let linear = tracker().inputs.is_some();
    // Going over the limit is an error only after the charge is recorded.
    let _ = budget.charge(ty, linear.then_some(input));
    (tracker().cpu as i64, tracker().mem as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_models_match_the_published_mainnet_parameters() {
        let (cpu, memory) = cost_params();
        let at = |params: &ContractCostParams, ty: ContractCostType| {
            let entry = &params.0[ty as usize];
            (entry.const_term, entry.linear_term)
        };
        use ContractCostType::*;
        assert_eq!(at(&cpu, WasmInsnExec), (4, 0));
        assert_eq!(at(&cpu, MemAlloc), (434, 16));
        assert_eq!(at(&cpu, VmInstantiation), (417_482, 45_712));
        assert_eq!(at(&cpu, Bls12381Pairing), (10_558_948, 632_860_943));
        assert_eq!(at(&memory, MemAlloc), (16, 128));
        assert_eq!(at(&memory, VmInstantiation), (132_773, 4_903));
        let (constant, linear) = at(&memory, Bls12381Pairing);
        assert_eq!(constant, 2_204);
        assert!((9_340_474 - 8..=9_340_474).contains(&linear));
    }
}
