//! Events of what moves without a contract's call: fees, payments and new
//! accounts. They are those that the asset's own contract would emit.

use crate::tx::Frame;
use crate::xdr::*;

/// A fee, or with a negative amount a refund of it; none if it is zero.
pub fn fee(
    network_id: [u8; 32],
    payer: &AccountId,
    amount: i64,
    stage: TransactionEventStage,
) -> Option<TransactionEvent> {
    let topics = vec![symbol("fee"), address(payer)];
    (amount != 0).then(|| TransactionEvent { stage, event: event(network_id, &Asset::Native, topics, i128(amount)) })
}

/// What an operation that has succeeded moved.
pub fn moved(network_id: [u8; 32], frame: &Frame, source: &AccountId, body: &OperationBody) -> Vec<ContractEvent> {
    let (asset, to, amount) = match body {
        OperationBody::Payment(op) => (&op.asset, op.destination.clone(), op.amount),
        OperationBody::CreateAccount(op) => {
            let PublicKey::PublicKeyTypeEd25519(key) = op.destination.0.clone();
            (&Asset::Native, MuxedAccount::Ed25519(key), op.starting_balance)
        }
        _ => return vec![],
    };
    let receiver = account_id(&to);
    let (issuer, name) = described(asset);
    let (issued, redeemed) = (issuer == Some(source), issuer == Some(&receiver));
    let (kind, parties) = match (issued, redeemed) {
        (true, false) => ("mint", vec![&receiver]),
        (false, true) => ("burn", vec![source]),
        _ => ("transfer", vec![source, &receiver]),
    };
    let mut topics = vec![symbol(kind)];
    topics.extend(parties.into_iter().map(address));
    topics.push(ScVal::String(ScString(name.try_into().expect("a short name"))));
    let data = match muxed_id(&to, &frame.tx.memo).filter(|_| kind != "burn") {
        None => i128(amount),
        Some(id) => {
            let fields = vec![(symbol("amount"), i128(amount)), (symbol("to_muxed_id"), id)];
            ScVal::Map(Some(ScMap::sorted_from(fields).expect("a short map")))
        }
    };
    vec![event(network_id, asset, topics, data)]
}

/// Whom of those behind an address it is for: by its number, or by the memo.
fn muxed_id(to: &MuxedAccount, memo: &Memo) -> Option<ScVal> {
    let bytes = |hash: &Hash| ScVal::Bytes(ScBytes(hash.0.to_vec().try_into().expect("32 bytes")));
    match (to, memo) {
        (MuxedAccount::MuxedEd25519(muxed), _) => Some(ScVal::U64(muxed.id)),
        (_, Memo::None) => None,
        (_, Memo::Text(text)) => Some(ScVal::String(ScString(text.to_vec().try_into().expect("28 bytes at most")))),
        (_, Memo::Id(id)) => Some(ScVal::U64(*id)),
        (_, Memo::Hash(hash) | Memo::Return(hash)) => Some(bytes(hash)),
    }
}

/// The issuer, if there is one, and the name that events have for an asset.
fn described(asset: &Asset) -> (Option<&AccountId>, String) {
    let (code, issuer): (&[u8], _) = match asset {
        Asset::Native => return (None, "native".into()),
        Asset::CreditAlphanum4(asset) => (&asset.asset_code.0, &asset.issuer),
        Asset::CreditAlphanum12(asset) => (&asset.asset_code.0, &asset.issuer),
    };
    let code = String::from_utf8_lossy(code);
    (Some(issuer), format!("{}:{issuer}", code.trim_end_matches('\0')))
}

fn event(network_id: [u8; 32], asset: &Asset, topics: Vec<ScVal>, data: ScVal) -> ContractEvent {
    let preimage = HashIdPreimage::ContractId(HashIdPreimageContractId {
        network_id: Hash(network_id),
        contract_id_preimage: ContractIdPreimage::Asset(asset.clone()),
    });
    ContractEvent {
        ext: ExtensionPoint::V0,
        contract_id: Some(ContractId(Hash(sha256(&encode(&preimage))))),
        type_: ContractEventType::Contract,
        body: ContractEventBody::V0(ContractEventV0 { topics: list(topics), data }),
    }
}

fn symbol(name: &str) -> ScVal {
    ScVal::Symbol(ScSymbol(name.try_into().expect("a short symbol")))
}

fn address(account: &AccountId) -> ScVal {
    ScVal::Address(ScAddress::Account(account.clone()))
}

fn i128(amount: i64) -> ScVal {
    ScVal::I128(Int128Parts { hi: if amount < 0 { -1 } else { 0 }, lo: amount as u64 })
}
