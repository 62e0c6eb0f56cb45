//! Tests of the life of an invitation: every row there can be, against each rule.

use uuid::Uuid;

use super::*;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn hours(count: i64) -> Timestamp {
    now() + SignedDuration::from_hours(count)
}

fn website(number: u128) -> WebsiteId {
    WebsiteId::new(Uuid::from_u128(number))
}

fn invitation() -> Invitation {
    Invitation {
        id: InvitationId::new(Uuid::from_u128(1)),
        name: "Invitation".to_owned(),
        kind: Kind::Single,
        active: true,
        status: Status::Sent,
        contact: Some(ContactId::new(Uuid::from_u128(2))),
        website: None,
        code: InvitationCode::parse("code").ok(),
        expires: Some(hours(1)),
        maximum_redemptions: Some(1),
        redemptions: 0,
        redeemed_contact: None,
        batch: None,
        created: hours(-48),
        modified: hours(-48),
        version: Version::new("W/\"1\""),
    }
}

/// Every row there can be, as far as the rules look at one.
fn every_row() -> Vec<Invitation> {
    let mut rows = vec![invitation()];
    vary(&mut rows, &[true, false], |row, active| row.active = active);
    let statuses = [
        STATUS_NEW,
        STATUS_SENT,
        STATUS_REDEEMED,
        STATUS_INACTIVE,
        756_150_002,
    ];
    vary(&mut rows, &statuses, |row, status| {
        row.status = status.into();
    });
    vary(&mut rows, &[Kind::Single, Kind::Group], |row, kind| {
        row.kind = kind;
    });
    vary(&mut rows, &[0, 1, 2], |row, redemptions| {
        row.redemptions = redemptions;
    });
    let expiries = [None, Some(hours(-1)), Some(now()), Some(hours(1))];
    vary(&mut rows, &expiries, |row, expires| row.expires = expires);
    vary(&mut rows, &[true, false], |row, keep| {
        row.code = row.code.take().filter(|_| keep);
    });
    vary(&mut rows, &[hours(-48), hours(0)], |row, modified| {
        row.modified = modified;
    });
    let numbers = [None, BatchNumber::try_from(1_734_829_102).ok()];
    vary(&mut rows, &numbers, |row, batch| row.batch = batch);
    rows
}

fn vary<T: Copy>(rows: &mut Vec<Invitation>, values: &[T], set: impl Fn(&mut Invitation, T)) {
    let with = |row: &Invitation, value| {
        let mut row = row.clone();
        set(&mut row, value);
        row
    };
    *rows = rows
        .iter()
        .flat_map(|row| {
            values
                .iter()
                .map(|value| with(row, *value))
                .collect::<Vec<_>>()
        })
        .collect();
}

/// Says of every row what a table of the cases says, written apart from the code.
fn expected(row: &Invitation) -> Standing {
    let over = row.expires == Some(hours(-1));
    let swept = over && row.modified == hours(0) && row.code.is_some();
    match (row.active, row.status, row.kind, row.redemptions) {
        (_, Status::Redeemed, _, _) | (_, _, Kind::Single, 1 | 2) => Standing::Redeemed,
        (false, ..) if swept => Standing::Expired,
        (false, ..) => Standing::Revoked,
        (true, ..) if over => Standing::Expired,
        (true, Status::New, ..) => Standing::Unsent,
        (true, ..) => Standing::Pending,
    }
}

#[test]
fn every_row_has_the_standing_of_its_columns() {
    let rows = every_row();
    assert_eq!(rows.len(), 2 * 5 * 2 * 3 * 4 * 2 * 2 * 2);
    for row in rows {
        assert_eq!(row.standing(now()), expected(&row), "{row:?}");
    }
}

#[test]
fn the_sweep_closes_open_rows_past_their_expiry_and_no_others() {
    for row in every_row() {
        let open = row.active && matches!(row.status, Status::New | Status::Sent);
        let half_redeemed = row.kind == Kind::Single && row.redemptions > 0;
        let over = row.expires == Some(hours(-1));
        let all = open && over && !half_redeemed;
        assert_eq!(row.sweepable(now(), SweepScope::All), all, "{row:?}");
        assert_eq!(
            row.sweepable(now(), SweepScope::Ours),
            all && row.batch.is_some(),
            "{row:?}"
        );
    }
}

#[test]
fn only_an_open_unexpired_unredeemed_single_row_is_pending() {
    for row in every_row() {
        let open = row.active && matches!(row.status, Status::New | Status::Sent);
        let over = row.expires == Some(hours(-1));
        let pending = open && !over && row.kind == Kind::Single && row.redemptions == 0;
        assert_eq!(row.is_pending_for(now(), None), pending, "{row:?}");
    }
}

#[test]
fn a_row_is_pending_for_its_own_site() {
    for (row, site, pending) in [
        (None, None, true),
        (None, Some(1), true),
        (Some(1), None, true),
        (Some(1), Some(1), true),
        (Some(1), Some(2), false),
    ] {
        let invitation = Invitation {
            website: row.map(website),
            ..invitation()
        };
        assert_eq!(
            invitation.is_pending_for(now(), site.map(website)),
            pending,
            "{row:?} {site:?}"
        );
    }
}

#[test]
fn an_invitation_lives_through_the_second_of_its_expiry() {
    let row = invitation();
    let expires = hours(1);
    let after = expires + SignedDuration::from_millis(1);
    assert_eq!(
        [row.standing(expires), row.standing(after)],
        [Standing::Pending, Standing::Expired]
    );
    assert!(!row.sweepable(expires, SweepScope::All) && row.sweepable(after, SweepScope::All));
    assert!(row.is_pending_for(expires, None) && !row.is_pending_for(after, None));
}

#[test]
fn a_row_closed_before_its_expiry_stays_revoked_when_its_time_is_over() {
    let closed = |minutes| Invitation {
        active: false,
        status: Status::Inactive,
        modified: hours(1) + SignedDuration::from_mins(minutes),
        ..invitation()
    };
    assert_eq!(closed(-60).standing(hours(9)), Standing::Revoked);
    assert_eq!(closed(-6).standing(hours(9)), Standing::Revoked);
    // Dataverse's clock may be behind ours when the sweep closes a row.
    assert_eq!(closed(-4).standing(hours(9)), Standing::Expired);
    assert_eq!(closed(30).standing(hours(9)), Standing::Expired);
}

#[test]
fn type_and_status_share_a_number_and_not_a_meaning() {
    assert_eq!(TYPE_SINGLE, STATUS_SENT);
    assert_eq!(Kind::from_option(Some(756_150_000)), Kind::Single);
    assert_eq!(Kind::from_option(Some(756_150_001)), Kind::Group);
    assert_eq!(Kind::from_option(None), Kind::Single);
    assert_eq!(Status::from(756_150_000), Status::Sent);
    assert_eq!(Status::from(756_150_001), Status::Redeemed);
    assert_eq!(
        [1, 2, 7].map(Status::from),
        [Status::New, Status::Inactive, Status::Other(7)]
    );
}

#[test]
fn a_redemption_by_another_contact_is_one_where_both_are_known_and_differ() {
    let row = |invited: Option<u128>, redeemed: Option<u128>| Invitation {
        contact: invited.map(|id| ContactId::new(Uuid::from_u128(id))),
        redeemed_contact: redeemed.map(|id| ContactId::new(Uuid::from_u128(id))),
        ..invitation()
    };
    assert!(row(Some(1), Some(2)).is_redeemed_by_another());
    for (invited, redeemed) in [(Some(1), Some(1)), (None, Some(2)), (Some(1), None)] {
        assert!(!row(invited, redeemed).is_redeemed_by_another());
    }
}

#[test]
fn an_invitation_for_one_is_overused_by_a_second_redemption_whatever_its_maximum() {
    let row = |kind, maximum_redemptions, redemptions| Invitation {
        kind,
        maximum_redemptions,
        redemptions,
        ..invitation()
    };
    for (kind, most, redemptions, overused) in [
        (Kind::Single, Some(1), 1, false),
        (Kind::Single, Some(1), 2, true),
        (Kind::Single, None, 2, true),
        (Kind::Single, Some(5), 2, true),
        (Kind::Group, Some(5), 5, false),
        (Kind::Group, Some(5), 6, true),
        (Kind::Group, Some(0), 6, false),
        (Kind::Group, None, 6, false),
    ] {
        let row = row(kind, most, redemptions);
        assert_eq!(
            row.is_overused(),
            overused,
            "{kind:?} {most:?} {redemptions}"
        );
    }
}
