//! Addresses as people may see them: decoded, so that they can be read, and without the codes that are in them.
//!
//! A code opens an invitation to whoever holds it, and a function key the app; neither belongs on a page that may be
//! shared. It errs on the side of hiding too much.

use percent_encoding::percent_decode_str;

/// What stands for something hidden.
const HIDDEN: &str = "•••";
/// Parameters whose value is a secret, in lower case: of the site's pages, and the key of a function.
const SECRET: [&str; 3] = ["invitation", "invitationcode", "code"];
/// How often a text is decoded at most.
const ROUNDS: usize = 8;
/// The column that holds codes; literals that are compared with it are hidden.
const COLUMN: &str = "adx_invitationcode";

/// A path with its query, decoded, with codes and keys hidden.
pub(crate) fn readable(path_and_query: &str) -> String {
    match path_and_query.split_once('?') {
        None => without_literals(&decoded(path_and_query)),
        Some((path, query)) => {
            let pairs: Vec<String> = query.split('&').map(parameter).collect();
            format!("{}?{}", without_literals(&decoded(path)), pairs.join("&"))
        }
    }
}

fn parameter(pair: &str) -> String {
    let Some((name, value)) = pair.split_once('=') else {
        return without_literals(&decoded(pair));
    };
    let (name, value) = (decoded(name), decoded(&value.replace('+', " ")));
    if SECRET.contains(&name.to_lowercase().as_str()) {
        format!("{name}={HIDDEN}")
    } else {
        // The value may be an address itself: a page to return to.
        format!("{name}={}", readable(&value))
    }
}

/// The text as it was before anybody encoded it: an address in an address is encoded twice. What was encoded more often
/// than anybody does is hidden.
fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let once = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if once == text {
            return text;
        }
        text = once;
    }
    HIDDEN.to_owned()
}

/// Hides what stands in quotes after the column of codes, up to the end of the element or of the text.
fn without_literals(text: &str) -> String {
    let Some((before, after)) = text.split_once(COLUMN) else {
        return text.to_owned();
    };
    // The quote that ends the column's own name, where it stands in quotes.
    let (name_end, after) = match after.chars().next() {
        Some(quote @ ('\'' | '"')) => after.split_at(quote.len_utf8()),
        _ => ("", after),
    };
    let end = after.find('>').unwrap_or(after.len());
    let (compared, rest) = after.split_at(end);
    let hidden = hide_quoted(compared);
    format!(
        "{before}{COLUMN}{name_end}{hidden}{}",
        without_literals(rest)
    )
}

/// The text with each quoted part hidden; a quote without an end hides the rest.
fn hide_quoted(text: &str) -> String {
    let Some(start) = text.find(['\'', '"']) else {
        return text.to_owned();
    };
    let (before, quoted) = text.split_at(start);
    let quote = &quoted[..1];
    match quoted[1..].split_once(quote) {
        Some((_, rest)) => format!("{before}{quote}{HIDDEN}{quote}{}", hide_quoted(rest)),
        None => format!("{before}{quote}{HIDDEN}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_keys_are_hidden_wherever_an_address_holds_them() {
        for (address, shown) in [
            ("/register?invitation=SECRET", "/register?invitation=•••"),
            (
                "/da-DK/register?a=1&InvitationCode=SECRET&b=%2F",
                "/da-DK/register?a=1&InvitationCode=•••&b=/",
            ),
            (
                "/api/invitations?code=SECRET&top=5",
                "/api/invitations?code=•••&top=5",
            ),
            (
                "/api/invitations?%63ode=SECRET",
                "/api/invitations?code=•••",
            ),
            (
                "/signin?returnUrl=%2Fregister%3Finvitation%3DSECRET",
                "/signin?returnUrl=/register?invitation=•••",
            ),
            (
                "/a?b=%2Fc%3Fd%3D%252Fregister%253Finvitation%253DSECRET",
                "/a?b=/c?d=/register?invitation=•••",
            ),
            (
                "/adx_invitations?$filter=adx_invitationcode%20eq%20'SECRET'%20and%20statecode%20eq%200",
                "/adx_invitations?$filter=adx_invitationcode eq '•••' and statecode eq 0",
            ),
            (
                "/x?$filter=contains(adx_invitationcode,'SEC''RET')",
                "/x?$filter=contains(adx_invitationcode,'•••''•••')",
            ),
            (
                "/x?$filter=In(PropertyName='adx_invitationcode',PropertyValues=['SECRET','SECRET'])",
                "/x?$filter=In(PropertyName='adx_invitationcode',PropertyValues=['•••','•••'])",
            ),
            (
                "/adx_invitations(adx_invitationcode='SECRET')?$select=adx_name",
                "/adx_invitations(adx_invitationcode='•••')?$select=adx_name",
            ),
            (
                "/x?fetchXml=<attribute name='adx_invitationcode'/><condition attribute='adx_invitationcode' operator='eq' value='SECRET'/>",
                "/x?fetchXml=<attribute name='adx_invitationcode'/><condition attribute='adx_invitationcode' operator='•••' value='•••'/>",
            ),
        ] {
            assert_eq!(readable(address), shown);
        }
    }

    #[test]
    fn what_is_encoded_without_end_is_hidden() {
        let address = format!("/x?a=%{}5B", "25".repeat(30_000));
        assert_eq!(readable(&address), "/x?a=•••");
    }

    #[test]
    fn addresses_without_secrets_are_decoded_and_whole() {
        let filter = "/api/data/v9.2/contacts?$select=contactid&$filter=lastname eq 'Østergaard'";
        let sent = filter.replace(' ', "%20").replace('Ø', "%C3%98");
        assert_eq!(readable(&sent), filter);
        assert_eq!(readable("/"), "/");
    }
}
