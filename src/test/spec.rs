//! The interface as the contract's on-chain spec has it, with its documentation.

use std::{
    format,
    string::{String, ToString},
};

use soroban_sdk::xdr::{Limits, ReadXdr, ScSpecEntry, ScSpecTypeDef};

use super::*;
use crate::{events, AgreementEntry, Config, EnergyAgreement, EnergyTransaction};

/// Of the entrypoints, of the types and errors, and of the events.
pub fn entries() -> Vec<ScSpecEntry> {
    macro_rules! specs {
        ($($of:ty, $spec:ident;)*) => { [$(<$of>::$spec().to_vec()),*] };
    }
    use PeerToPeerEnergySharing as Contract;
    let functions = specs! {
        Contract, spec_xdr_initialize;
        Contract, spec_xdr_set_admin;
        Contract, spec_xdr_register_prosumer;
        Contract, spec_xdr_register_meter;
        Contract, spec_xdr_create_agreement;
        Contract, spec_xdr_fund_agreement;
        Contract, spec_xdr_cancel_agreement;
        Contract, spec_xdr_claim_refund;
        Contract, spec_xdr_deliver_energy;
        Contract, spec_xdr_settle_payment;
        Contract, spec_xdr_settle_agreement;
        Contract, spec_xdr_dispute_transaction;
        Contract, spec_xdr_resolve_dispute;
        Contract, spec_xdr_close_dispute;
        Contract, spec_xdr_get_config;
        Contract, spec_xdr_get_prosumer;
        Contract, spec_xdr_get_agreement;
        Contract, spec_xdr_get_agreement_state;
        Contract, spec_xdr_get_transaction;
        Contract, spec_xdr_get_transaction_history;
        Contract, spec_xdr_get_agreement_page;
        Contract, spec_xdr_get_agreement_transactions;
        Contract, spec_xdr_get_transaction_states;
        Contract, spec_xdr_get_prosumer_count;
    };
    let types = specs! {
        EnergyAgreement, spec_xdr; EnergyTransaction, spec_xdr; AgreementStatus, spec_xdr; TransactionStatus, spec_xdr;
        AgreementState, spec_xdr; AgreementEntry, spec_xdr; Deposit, spec_xdr; TransactionState, spec_xdr; Prosumer, spec_xdr; Config, spec_xdr;
    };
    let events = specs! {
        events::Initialized, spec_xdr; events::AdminChanged, spec_xdr; events::ProsumerRegistered, spec_xdr;
        events::MeterRegistered, spec_xdr; events::AgreementCreated, spec_xdr; events::AgreementFunded, spec_xdr;
        events::AgreementCancelled, spec_xdr; events::EnergyDelivered, spec_xdr; events::PaymentSettled, spec_xdr;
        events::TransactionDisputed, spec_xdr; events::DisputeResolved, spec_xdr; events::EscrowRefunded, spec_xdr;
    };
    let sources = [
        (functions.len(), include_str!("../lib.rs"), "\n    pub fn "),
        (types.len(), include_str!("../utils.rs"), "\n#[contracttype]\n"),
        (events.len(), include_str!("../utils/events.rs"), "\n#[contractevent"),
    ];
    for (listed, source, item) in sources {
        assert_eq!(listed, source.matches(item).count(), "not all are listed here that begin with {item:?}");
    }
    let specs = functions.into_iter().chain(types).chain([SharingError::spec_xdr().to_vec()]).chain(events);
    specs.map(|spec| ScSpecEntry::from_xdr(spec, Limits::none()).unwrap()).collect()
}

pub fn type_name(def: &ScSpecTypeDef) -> String {
    match def {
        ScSpecTypeDef::Option(of) => format!("Option<{}>", type_name(&of.value_type)),
        ScSpecTypeDef::Vec(of) => format!("Vec<{}>", type_name(&of.element_type)),
        ScSpecTypeDef::Result(of) => format!("Result<{}, {}>", type_name(&of.ok_type), type_name(&of.error_type)),
        ScSpecTypeDef::Udt(udt) => udt.name.to_string(),
        ScSpecTypeDef::Error => "SharingError".into(),
        simple => format!("{simple:?}"),
    }
}

/// The names of the entrypoints.
pub fn functions() -> Vec<String> {
    let name = |entry| match entry {
        ScSpecEntry::FunctionV0(function) => Some(function.name.0.to_string()),
        _ => None,
    };
    entries().into_iter().filter_map(name).collect()
}
