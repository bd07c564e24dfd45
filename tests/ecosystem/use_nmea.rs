//! crate: nmea | sentences of GPS receivers

use nmea::Nmea;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub struct Receiver(Box<Nmea>);

#[wasm_bindgen]
impl Receiver {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Receiver {
        Receiver(Box::default())
    }
    pub fn take(&mut self, sentence: &str) -> Result<String, String> {
        self.0.parse(sentence).map(|kind| kind.to_string()).map_err(|error| error.to_string())
    }
    pub fn position(&self) -> Option<Vec<f64>> {
        let altitude = self.0.altitude.unwrap_or(0.0);
        Some(vec![self.0.latitude?, self.0.longitude?, altitude.into()])
    }
    pub fn satellites(&self) -> Option<u32> {
        self.0.num_of_fix_satellites
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

/* dependencies
nmea = { version = "=0.7.0", default-features = false, features = ["GGA", "RMC"] }
*/
/* python
import use_nmea as m
def sentence(text):
    sum = 0
    for x in text.encode(): sum ^= x
    return "$%s*%02X" % (text, sum)
gps = m.Receiver()
print(gps.position(), gps.take(sentence("GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,")))
latitude, longitude, altitude = gps.position()
print(abs(latitude - (53 + 21.6802 / 60)) < 1e-4, abs(longitude + (6 + 30.3372 / 60)) < 1e-4, abs(altitude - 61.7) < .01, gps.satellites())
print(gps.take(sentence("GPRMC,225446.33,A,4916.45,N,12311.12,W,000.5,054.7,191194,020.3,E,A")))
print(abs(gps.position()[0] - (49 + 16.45 / 60)) < 1e-4)
for text in "$GPGGA,1*00", sentence("GPXYZ,1"), "nothing":
    try: print(gps.take(text))
    except RuntimeError as error: print(error)
*/
/* expect
None GGA
True True True 8
RMC
True
Checksum Mismatch(calculated = 75, found = 0)
Parse error: Parsing Error: Error { input: "XYZ,1*51", code: MapRes }
Parse error: Parsing Error: Error { input: "nothing", code: Char }
*/
