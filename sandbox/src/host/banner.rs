//! What the host prints for the person who started it, laid out as Core Tools does: each function
//! with its method and URL, or with the type of its trigger.
//! <https://learn.microsoft.com/azure/azure-functions/functions-run-local#start-the-functions-runtime>

use super::{
    HOST_VERSION, Inner,
    function::{Function, Trigger},
};

/// The banner, of several lines.
pub(super) fn banner(inner: &Inner) -> String {
    let functions = list(inner).join("\n\n\t");
    format!(
        "\nportal-invite sandbox, in the place of Azure Functions Core Tools\n\
         Function Runtime Version: {HOST_VERSION} (look-alike)\n\n\
         Worker process started and initialized.\n\nFunctions:\n\n\t{functions}\n\n\
         For detailed output, run with the --verbose flag.\n"
    )
}

/// A line for each function, those with an address first, then one for each that is in error.
pub(super) fn list(inner: &Inner) -> Vec<String> {
    let (http, others): (Vec<&Function>, Vec<&Function>) = (inner.app.functions.iter())
        .partition(|function| matches!(function.trigger, Trigger::Http(_)));
    let functions = http.into_iter().chain(others);
    let errors = inner.app.errors.iter();
    functions
        .map(|function| line(inner, function))
        .chain(errors.map(|error| format!("The function is in error: {error}")))
        .collect()
}

fn line(inner: &Inner, function: &Function) -> String {
    let name = &function.name;
    match &function.trigger {
        _ if function.disabled => format!("Function {name} is disabled."),
        Trigger::Timer(_) => format!("{name}: {}", function.trigger_type()),
        Trigger::Http(http) if http.methods.is_empty() => {
            format!("{name}: {}", inner.function_url(http))
        }
        Trigger::Http(http) => {
            let methods: Vec<&str> = http.methods.iter().map(http::Method::as_str).collect();
            format!(
                "{name}: [{}] {}",
                methods.join(","),
                inner.function_url(http)
            )
        }
    }
}
