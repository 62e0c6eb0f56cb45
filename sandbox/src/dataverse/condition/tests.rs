//! Filters as callers write them, held against one row.

use super::super::filter::parse;
use super::super::store::Cells;
use super::super::tables::TABLES;
use super::*;

fn contact() -> Entity {
    let table = TABLES
        .iter()
        .find(|table| table.logical == "contact")
        .unwrap();
    Entity::new(table)
}

fn test(filter: &str) -> Result<Condition, Refusal> {
    resolve(None, contact(), parse(filter).unwrap())
}

fn anna() -> Row {
    let moment = "2026-11-22T10:00:00Z".parse().unwrap();
    let cells = Cells::from([
        ("contactid", Cell::Guid(Uuid::from_u128(1))),
        ("fullname", Cell::Text("Anna O'Neil".to_owned())),
        ("statecode", Cell::Integer(0)),
        ("donotemail", Cell::Boolean(false)),
        ("createdon", Cell::Moment(moment)),
        (
            "parentcustomerid",
            Cell::Reference("account", Uuid::from_u128(2)),
        ),
    ]);
    Row {
        id: Uuid::from_u128(1),
        version: 1,
        cells,
    }
}

#[test]
fn a_list_of_identifiers_is_one_set_and_a_mixture_is_not() {
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let named = |filter: &str| {
        let condition = test(filter).unwrap();
        condition
            .named()
            .map(|(column, ids)| (column, ids.iter().copied().collect::<Vec<_>>()))
    };
    for column in ["contactid", "_parentcustomerid_value"] {
        let listed = format!("statecode eq 0 and ({column} eq {one} or {column} eq {two})");
        let logical = column.trim_start_matches('_').trim_end_matches("_value");
        assert_eq!(named(&listed), Some((logical, vec![one, two])));
    }
    let mixed = format!("contactid eq {one} or _parentcustomerid_value eq {two}");
    assert_eq!(named(&mixed), None);
    assert!(test(&mixed).unwrap().holds(&anna()));
    for others in [
        "contactid ne {one} or contactid ne {two}",
        "not (contactid eq {one} or contactid eq {two})",
    ] {
        let others = others
            .replace("{one}", &one.to_string())
            .replace("{two}", &two.to_string());
        assert_eq!(named(&others), None);
    }
}

#[test]
fn filters_hold_for_the_rows_they_describe() {
    for (filter, expected) in [
        ("fullname eq 'anna o''neil'", true),
        ("fullname ne 'ANNA O''NEIL'", false),
        (
            "contains(fullname,'O''N') and startswith(fullname,'anna')",
            true,
        ),
        ("endswith(fullname,'anna')", false),
        ("not endswith(fullname,'anna')", true),
        ("contains(emailaddress1,'x')", false),
        ("emailaddress1 eq null and emailaddress1 ne 'x'", true),
        ("emailaddress1 lt 'x' or emailaddress1 gt null", false),
        ("statecode eq 0 and donotemail eq false", true),
        (
            "statecode gt 0 or (statecode ge 0 and not (statecode ne 0))",
            true,
        ),
        ("createdon lt 2026-11-22T12:00:00+02:00", false),
        ("createdon le 2026-11-22T12:00:00+02:00", true),
        (
            "_parentcustomerid_value eq 00000000-0000-0000-0000-000000000002",
            true,
        ),
        ("contactid eq 00000000-0000-0000-0000-000000000002", false),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=['00000000-0000-0000-0000-000000000001'])",
            true,
        ),
    ] {
        assert_eq!(test(filter).unwrap().holds(&anna()), expected, "{filter}");
    }
}

#[test]
fn wrong_names_and_types_are_refused() {
    for filter in [
        "nosuch eq 1",
        "parentcustomerid eq null",
        "FullName eq 'x'",
        "contactid eq '00000000-0000-0000-0000-000000000001'",
        "_parentcustomerid_value gt 00000000-0000-0000-0000-000000000001",
        "createdon gt 2026-11-22",
        "createdon gt '2026-11-22T10:00:00Z'",
        "statecode eq '0'",
        "statecode eq 0.5",
        "donotemail eq 0",
        "fullname eq 1",
        "contains(statecode,'0')",
        "Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=['x'])",
    ] {
        assert_eq!(test(filter).unwrap_err().status, 400, "{filter}");
    }
}

#[test]
fn what_is_not_known_is_not_guessed() {
    for filter in [
        "parentcustomerid_account/name eq 'x'",
        "Microsoft.Dynamics.CRM.In(PropertyName='fullname',PropertyValues=['x'])",
        "Microsoft.Dynamics.CRM.Today(PropertyName='createdon')",
    ] {
        assert_eq!(test(filter).unwrap_err().status, 501, "{filter}");
    }
}
