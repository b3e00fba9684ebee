//! How a page looks: in both colour schemes, wide and narrow, judged by axe-core and by its width, kept as pictures.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::browser::Browser;

#[derive(Clone, Copy)]
pub struct Rendering {
    scheme: &'static str,
    width: u32,
}

impl Rendering {
    /// The four in which every page is looked at.
    pub const ALL: [Self; 4] = [
        Self { scheme: "light", width: 1280 },
        Self { scheme: "dark", width: 1280 },
        Self { scheme: "light", width: 360 },
        Self { scheme: "dark", width: 360 },
    ];
    /// The narrowest that must still do.
    pub const NARROWEST: Self = Self { scheme: "light", width: 320 };
}

/// What is wrong with the page that the browser shows, in all renderings; and a picture of each.
///
/// The page stays as it is, so one that can be seen only once can be judged too.
pub fn faults(browser: &Browser, page: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for rendering in Rendering::ALL {
        show(browser, rendering);
        picture(browser, &format!("{page}-{}-{}", rendering.scheme, rendering.width));
        for fault in axe(browser).into_iter().chain(overflow(browser, rendering)) {
            faults.push(format!("{page} ({}, {} px): {fault}", rendering.scheme, rendering.width));
        }
    }
    show(browser, Rendering::NARROWEST);
    for fault in overflow(browser, Rendering::NARROWEST) {
        faults.push(format!("{page} ({} px): {fault}", Rendering::NARROWEST.width));
    }
    show(browser, Rendering::ALL[0]);
    faults
}

/// Changes the rendering under the page, without loading it again.
pub fn show(browser: &Browser, rendering: Rendering) {
    browser.devtools(
        "Emulation.setEmulatedMedia",
        // Without motion, or a colour could be judged on its way to another.
        json!({"features": [
            {"name": "prefers-color-scheme", "value": rendering.scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]}),
    );
    browser.devtools(
        "Emulation.setDeviceMetricsOverride",
        json!({"width": rendering.width, "height": 800, "deviceScaleFactor": 1, "mobile": rendering.width < 600}),
    );
}

/// The violations that axe-core finds, one readable text each.
pub fn axe(browser: &Browser) -> Vec<String> {
    if browser.script("return typeof axe", vec![]) == json!("undefined") {
        let path =
            std::env::var("TOKENHOUSE_TEST_AXE").expect("TOKENHOUSE_TEST_AXE names axe-core's script: run ./test");
        let axe = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}: run ./test"));
        browser.script(&axe, vec![]);
    }
    let script = "const done = arguments[0];
        const text = violation => `${violation.id} (${violation.impact}): ${violation.help}` + violation.nodes.map(node =>
            `\\n    ${node.target.join(' ')}: ${node.failureSummary.replace(/\\s+/g, ' ')}`).join('');
        axe.run(document, {resultTypes: ['violations']})
            .then(result => done(result.violations.map(text)), error => done([`axe failed: ${error}`]))";
    texts(browser.script_async(script, vec![]))
}

/// What sticks out to the right, if the page can be scrolled sideways.
pub fn overflow(browser: &Browser, rendering: Rendering) -> Vec<String> {
    let script = "const width = arguments[0];
        if (document.scrollingElement.scrollWidth <= width) return [];
        const wide = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > width + 0.5);
        return [`scrolls sideways, to ${document.scrollingElement.scrollWidth} px`, ...wide.slice(-3).map(e => e.outerHTML.slice(0, 100))]";
    texts(browser.script(script, vec![json!(rendering.width)]))
}

/// The whole page as a picture, if `TOKENHOUSE_TEST_SCREENSHOTS` names a folder for them.
pub fn picture(browser: &Browser, name: &str) {
    let Ok(folder) = std::env::var("TOKENHOUSE_TEST_SCREENSHOTS") else { return };
    let size = &browser.devtools("Page.getLayoutMetrics", json!({}))["cssContentSize"];
    let whole = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
    let answer = browser.devtools("Page.captureScreenshot", json!({"captureBeyondViewport": true, "clip": whole}));
    let picture = STANDARD.decode(answer["data"].as_str().expect("a picture")).expect("Base64");
    fs::create_dir_all(&folder).expect("the folder for pictures can be made");
    fs::write(Path::new(&folder).join(format!("{name}.png")), picture).expect("a picture can be written");
}

fn texts(list: Value) -> Vec<String> {
    let list = list.as_array().expect("a list of texts");
    list.iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
}
