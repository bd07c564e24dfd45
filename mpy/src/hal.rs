//! The traits of [`embedded-hal`](embedded_hal) 1.0 over the objects of Python's module `machine`.
//!
//! A driver from crates.io runs on the bus that a Python program made:
//!
//! ```no_run
//! use embedded_hal::i2c::I2c as _;
//! use mpy::hal::I2c;
//! use wasm_bindgen::prelude::*;
//!
//! #[wasm_bindgen]
//! pub fn temperature(mut i2c: I2c) -> Result<f32, mpy::Raise> {
//!     let mut bytes = [0; 2];
//!     i2c.write_read(0x48, &[0], &mut bytes)?;
//!     Ok(f32::from(i16::from_be_bytes(bytes)) / 256.0)
//! }
//! ```
//!
//! ```python
//! from machine import I2C
//! import sensor
//! print(sensor.temperature(I2C(0)))
//! ```
//!
//! Any object with the same methods can be used in place of one of `machine`, such as a simulated sensor.
//!
//! These types refer to Python's objects, and a clone of one refers to the same object. Several drivers can share a bus
//! by clones of it. The error of all of them is [`Exception`], so an `OSError` that a bus raises can be raised again as
//! it is; see [`Raise`](crate::Raise).
//!
//! Where a crate has native addresses, which is the default on 32-bit boards, the firmware uses the buffers where they are.
//! Methods that are written in Python get copies.

use alloc::vec::Vec;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{self, InputPin, OutputPin, StatefulOutputPin};
use embedded_hal::i2c::{self, NoAcknowledgeSource, SevenBitAddress};
use embedded_hal::pwm::{self, SetDutyCycle};
use embedded_hal::spi::{self, SpiBus};
use wasm_bindgen::prelude::*;

use crate::{Exception, Result};

type Caught<T> = core::result::Result<T, JsValue>;

#[wasm_bindgen]
extern "C" {
    /// `machine.I2C`, `machine.SoftI2C`, or any object with the methods `writeto` and `readfrom_into`.
    #[wasm_bindgen(js_name = I2C)]
    #[derive(Clone, Debug)]
    pub type I2c;
    #[wasm_bindgen(method, catch, js_name = writeto)]
    fn write_and_stop(this: &I2c, address: u16, bytes: &[u8]) -> Caught<()>;
    #[wasm_bindgen(method, catch, js_name = writeto)]
    fn write_to(this: &I2c, address: u16, bytes: &[u8], stop: bool) -> Caught<()>;
    #[wasm_bindgen(method, catch, js_name = readfrom_into)]
    fn read_and_stop(this: &I2c, address: u16, bytes: &mut [u8]) -> Caught<()>;
    #[wasm_bindgen(method, catch, js_name = readfrom_into)]
    fn read_from(this: &I2c, address: u16, bytes: &mut [u8], stop: bool) -> Caught<()>;

    /// `machine.SPI`, `machine.SoftSPI`, or any object with the methods `write`, `readinto` and `write_readinto`.
    #[wasm_bindgen(js_name = SPI)]
    #[derive(Clone, Debug)]
    pub type Spi;
    #[wasm_bindgen(method, catch, js_name = write)]
    fn write_all(this: &Spi, bytes: &[u8]) -> Caught<()>;
    #[wasm_bindgen(method, catch, js_name = readinto)]
    fn read_all(this: &Spi, bytes: &mut [u8]) -> Caught<()>;
    #[wasm_bindgen(method, catch, js_name = write_readinto)]
    fn write_and_read(this: &Spi, written: &[u8], read: &mut [u8]) -> Caught<()>;

    /// `machine.Pin`, `machine.Signal`, or any object with the method `value`.
    #[derive(Clone, Debug)]
    pub type Pin;
    #[wasm_bindgen(method, catch)]
    fn value(this: &Pin) -> Caught<i32>;
    #[wasm_bindgen(method, catch, js_name = value)]
    fn set_value(this: &Pin, value: u8) -> Caught<()>;

    /// `machine.PWM`, or any object with the method `duty_u16`.
    ///
    /// ```no_run
    /// use embedded_hal::pwm::SetDutyCycle;
    /// use mpy::hal::Pwm;
    /// use wasm_bindgen::prelude::*;
    ///
    /// #[wasm_bindgen]
    /// pub fn dim(mut led: Pwm, percent: u8) -> mpy::Result<()> {
    ///     led.set_duty_cycle_percent(percent)
    /// }
    /// ```
    #[wasm_bindgen(js_name = PWM)]
    #[derive(Clone, Debug)]
    pub type Pwm;
    #[wasm_bindgen(method, catch)]
    fn duty_u16(this: &Pwm, duty: u16) -> Caught<()>;

    /// `machine.ADC`, or any object with the method `read_u16`.
    #[wasm_bindgen(js_name = ADC)]
    #[derive(Clone, Debug)]
    pub type Adc;
    #[wasm_bindgen(method, catch, js_name = read_u16)]
    fn read_raw(this: &Adc) -> Caught<u16>;
}

#[wasm_bindgen(module = "time")]
extern "C" {
    fn sleep_us(us: u32);
    fn sleep_ms(ms: u32);
}

/// Numbers of errors that ports raise if no device answers.
const EIO: i32 = 5;
const ENODEV: i32 = 19;

impl i2c::Error for Exception {
    fn kind(&self) -> i2c::ErrorKind {
        match self.errno() {
            Some(ENODEV) => i2c::ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address),
            Some(EIO) => i2c::ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown),
            _ => i2c::ErrorKind::Other,
        }
    }
}

impl spi::Error for Exception {
    fn kind(&self) -> spi::ErrorKind {
        spi::ErrorKind::Other
    }
}

impl digital::Error for Exception {
    fn kind(&self) -> digital::ErrorKind {
        digital::ErrorKind::Other
    }
}

impl pwm::Error for Exception {
    fn kind(&self) -> pwm::ErrorKind {
        pwm::ErrorKind::Other
    }
}

impl I2c {
    /// Writes to the device; with `stop`, the bus is free afterwards.
    fn put(&self, address: u16, bytes: &[u8], stop: bool) -> Caught<()> {
        // Objects that are not of `machine` may lack the parameter for what is the default.
        if stop { self.write_and_stop(address, bytes) } else { self.write_to(address, bytes, false) }
    }

    /// Reads from the device.
    fn get(&self, address: u16, bytes: &mut [u8], stop: bool) -> Caught<()> {
        if stop { self.read_and_stop(address, bytes) } else { self.read_from(address, bytes, false) }
    }

    /// As [`i2c::I2c::transaction`].
    fn run(&self, address: u16, mut operations: &mut [i2c::Operation<'_>]) -> Caught<()> {
        use i2c::Operation::{Read, Write};
        // Adjacent operations of the same kind are one transfer. MicroPython would start each of them anew.
        while let Some(first) = operations.first() {
            let writes = matches!(first, Write(_));
            let count =
                operations.iter().take_while(|operation| matches!(operation, Write(_)) == writes).count();
            let (these, rest) = operations.split_at_mut(count);
            let stop = rest.is_empty();
            match these {
                [Write(bytes)] => self.put(address, bytes, stop)?,
                [Read(bytes)] => self.get(address, bytes, stop)?,
                _ => {
                    let mut bytes = Vec::new();
                    for operation in &*these {
                        match operation {
                            Write(part) => bytes.extend_from_slice(part),
                            Read(part) => bytes.resize(bytes.len() + part.len(), 0),
                        }
                    }
                    if writes {
                        self.put(address, &bytes, stop)?;
                    } else {
                        self.get(address, &mut bytes, stop)?;
                        let mut bytes = &bytes[..];
                        for operation in these {
                            let Read(part) = operation else { continue };
                            let (start, rest) = bytes.split_at(part.len());
                            part.copy_from_slice(start);
                            bytes = rest;
                        }
                    }
                }
            }
            operations = rest;
        }
        Ok(())
    }
}

impl i2c::ErrorType for I2c {
    type Error = Exception;
}

impl i2c::I2c<SevenBitAddress> for I2c {
    fn transaction(&mut self, address: SevenBitAddress, operations: &mut [i2c::Operation<'_>]) -> Result<()> {
        Ok(self.run(address.into(), operations)?)
    }

    fn read(&mut self, address: SevenBitAddress, bytes: &mut [u8]) -> Result<()> {
        Ok(self.read_and_stop(address.into(), bytes)?)
    }

    fn write(&mut self, address: SevenBitAddress, bytes: &[u8]) -> Result<()> {
        Ok(self.write_and_stop(address.into(), bytes)?)
    }

    fn write_read(&mut self, address: SevenBitAddress, written: &[u8], read: &mut [u8]) -> Result<()> {
        self.write_to(address.into(), written, false)?;
        Ok(self.read_and_stop(address.into(), read)?)
    }
}

/// The bytes that a transfer in place copies at a time.
const CHUNK: usize = 32;

impl spi::ErrorType for Spi {
    type Error = Exception;
}

impl SpiBus for Spi {
    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        Ok(self.read_all(bytes)?)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.write_all(bytes)?)
    }

    fn transfer(&mut self, read: &mut [u8], written: &[u8]) -> Result<()> {
        // MicroPython wants as many bytes to write as to read.
        let both = read.len().min(written.len());
        let (read, read_later) = read.split_at_mut(both);
        let (written, written_later) = written.split_at(both);
        if both > 0 {
            self.write_and_read(written, read)?;
        }
        if !read_later.is_empty() {
            self.read_all(read_later)?;
        }
        if !written_later.is_empty() {
            self.write_all(written_later)?;
        }
        Ok(())
    }

    fn transfer_in_place(&mut self, bytes: &mut [u8]) -> Result<()> {
        let mut copy = [0; CHUNK];
        for chunk in bytes.chunks_mut(CHUNK) {
            let copy = &mut copy[..chunk.len()];
            copy.copy_from_slice(chunk);
            self.write_and_read(copy, chunk)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        // MicroPython's methods return when all is transferred.
        Ok(())
    }
}

/// A device on an SPI bus: the bus, and the pin that selects the device while it is low.
///
/// `embedded-hal-bus` has other devices, which share a bus in Rust. A [`Spi`] can also be cloned.
///
/// ```no_run
/// use embedded_hal::spi::{Operation, SpiDevice as _};
/// use mpy::hal::{Pin, Spi, SpiDevice};
/// use wasm_bindgen::prelude::*;
///
/// /// The identification of a flash memory.
/// #[wasm_bindgen]
/// pub fn identify(spi: Spi, select: Pin) -> mpy::Result<Vec<u8>> {
///     let mut id = [0; 3];
///     let mut flash = SpiDevice::new(spi, select)?;
///     flash.transaction(&mut [Operation::Write(&[0x9f]), Operation::Read(&mut id)])?;
///     Ok(id.to_vec())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct SpiDevice {
    bus: Spi,
    select: Pin,
}

impl SpiDevice {
    /// The device, which is not selected.
    ///
    /// # Errors
    /// The exception that the pin raised.
    pub fn new(bus: Spi, mut select: Pin) -> Result<SpiDevice> {
        select.set_high()?;
        Ok(SpiDevice { bus, select })
    }
}

/// A device that is selected until this is dropped.
#[cfg(feature = "hal-async")]
pub(crate) struct Selected(Option<Pin>);

#[cfg(feature = "hal-async")]
impl Selected {
    pub(crate) fn end(mut self) -> Result<()> {
        self.0.take().map_or(Ok(()), |mut select| select.set_high())
    }
}

#[cfg(feature = "hal-async")]
impl Drop for Selected {
    fn drop(&mut self) {
        if let Some(mut select) = self.0.take() {
            // There is nobody to tell of an exception.
            let _ = select.set_high();
        }
    }
}

#[cfg(feature = "hal-async")]
impl SpiDevice {
    /// Selects the device, and returns its bus.
    pub(crate) fn select(&mut self) -> Result<(Spi, Selected)> {
        self.select.set_low()?;
        Ok((self.bus.clone(), Selected(Some(self.select.clone()))))
    }
}

impl spi::ErrorType for SpiDevice {
    type Error = Exception;
}

impl spi::SpiDevice for SpiDevice {
    fn transaction(&mut self, operations: &mut [spi::Operation<'_, u8>]) -> Result<()> {
        self.select.set_low()?;
        let result = operations.iter_mut().try_for_each(|operation| match operation {
            spi::Operation::Read(bytes) => self.bus.read(bytes),
            spi::Operation::Write(bytes) => self.bus.write(bytes),
            spi::Operation::Transfer(read, written) => self.bus.transfer(read, written),
            spi::Operation::TransferInPlace(bytes) => self.bus.transfer_in_place(bytes),
            spi::Operation::DelayNs(ns) => {
                Delay.delay_ns(*ns);
                Ok(())
            }
        });
        // Also after an exception, so that the next transaction is one of its own.
        let deselected = self.select.set_high();
        result.and(deselected)
    }
}

impl digital::ErrorType for Pin {
    type Error = Exception;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<()> {
        Ok(self.set_value(0)?)
    }

    fn set_high(&mut self) -> Result<()> {
        Ok(self.set_value(1)?)
    }
}

impl InputPin for Pin {
    fn is_high(&mut self) -> Result<bool> {
        Ok(self.value()? != 0)
    }

    fn is_low(&mut self) -> Result<bool> {
        Ok(self.value()? == 0)
    }
}

/// The state is that of the pin itself, which Python may have set.
impl StatefulOutputPin for Pin {
    fn is_set_high(&mut self) -> Result<bool> {
        self.is_high()
    }

    fn is_set_low(&mut self) -> Result<bool> {
        self.is_low()
    }
}

impl pwm::ErrorType for Pwm {
    type Error = Exception;
}

impl SetDutyCycle for Pwm {
    fn max_duty_cycle(&self) -> u16 {
        u16::MAX
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<()> {
        Ok(self.duty_u16(duty)?)
    }
}

impl Adc {
    /// A sample, from 0 to 65535 whatever the resolution of the hardware is.
    ///
    /// # Errors
    /// The exception that Python raised.
    pub fn read_u16(&mut self) -> Result<u16> {
        Ok(self.read_raw()?)
    }
}

/// Delays by `time.sleep_us` and `time.sleep_ms`, which MicroPython uses for its own work. Ctrl-C ends them.
///
/// ```no_run
/// use embedded_hal::delay::DelayNs;
/// use embedded_hal::digital::OutputPin;
/// use mpy::hal::{Delay, Pin};
///
/// fn pulse(pin: &mut Pin) -> mpy::Result<()> {
///     pin.set_high()?;
///     Delay.delay_us(10);
///     pin.set_low()
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Delay;

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        sleep_us(ns.div_ceil(1000));
    }

    fn delay_us(&mut self, us: u32) {
        sleep_us(us);
    }

    fn delay_ms(&mut self, ms: u32) {
        sleep_ms(ms);
    }
}
