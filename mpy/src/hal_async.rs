//! The traits of [`embedded-hal-async`](embedded_hal_async) for the types of [`hal`](crate::hal).
//!
//! Delays and pins let other tasks run. Transfers do not: the methods of `machine` return when all is transferred.

use embedded_hal::i2c as blocking_i2c;
use embedded_hal::spi::SpiBus as _;
use embedded_hal_async::delay::DelayNs;
use embedded_hal_async::digital::Wait;
use embedded_hal_async::i2c::{self, SevenBitAddress};
use embedded_hal_async::spi;
use wasm_bindgen::prelude::*;

use crate::Result;
use crate::asyncio::{ThreadSafeFlag, sleep};
use crate::hal::{Delay, I2c, Pin, Spi, SpiDevice};
use crate::time::Duration;

type Caught<T> = core::result::Result<T, JsValue>;

#[wasm_bindgen]
extern "C" {
    type Interrupts;
    #[wasm_bindgen(method, getter, catch, js_name = IRQ_RISING)]
    fn rising(this: &Interrupts) -> Caught<u32>;
    #[wasm_bindgen(method, getter, catch, js_name = IRQ_FALLING)]
    fn falling(this: &Interrupts) -> Caught<u32>;
    #[wasm_bindgen(method, catch)]
    fn irq(this: &Interrupts, handler: &JsValue, trigger: u32) -> Caught<JsValue>;
}

/// The edges of a pin, while they are watched.
struct Edges<'a> {
    pin: &'a Interrupts,
    trigger: u32,
    flag: ThreadSafeFlag,
    _handler: Closure<dyn FnMut(JsValue)>,
}

impl Edges<'_> {
    fn new(pin: &Pin, rising: bool, falling: bool) -> Result<Edges<'_>> {
        let pin: &JsValue = pin;
        let pin: &Interrupts = pin.unchecked_ref();
        let mut trigger = 0;
        if rising {
            trigger |= pin.rising()?;
        }
        if falling {
            trigger |= pin.falling()?;
        }
        let flag = ThreadSafeFlag::new()?;
        let set = flag.clone();
        // MicroPython calls it between two instructions, unless it is asked for a hard interrupt.
        let handler = Closure::new(move |_pin| {
            // There is nobody to tell of an exception.
            let _ = set.set();
        });
        pin.irq(handler.as_ref(), trigger)?;
        Ok(Edges { pin, trigger, flag, _handler: handler })
    }
}

impl Drop for Edges<'_> {
    fn drop(&mut self) {
        let _ = self.pin.irq(&JsValue::NULL, self.trigger);
    }
}

async fn wait_for_level(pin: &mut Pin, high: bool) -> Result<()> {
    use embedded_hal::digital::InputPin;
    let mut watched = pin.clone();
    let edges = Edges::new(pin, high, !high)?;
    while watched.is_high()? != high {
        edges.flag.wait().await?;
    }
    Ok(())
}

async fn wait_for_edge(pin: &Pin, rising: bool, falling: bool) -> Result<()> {
    Edges::new(pin, rising, falling)?.flag.wait().await
}

/// An interrupt of the pin (`Pin.irq`) wakes the task. Its handler is replaced meanwhile, and there is none afterwards.
impl Wait for Pin {
    async fn wait_for_high(&mut self) -> Result<()> {
        wait_for_level(self, true).await
    }

    async fn wait_for_low(&mut self) -> Result<()> {
        wait_for_level(self, false).await
    }

    async fn wait_for_rising_edge(&mut self) -> Result<()> {
        wait_for_edge(self, true, false).await
    }

    async fn wait_for_falling_edge(&mut self) -> Result<()> {
        wait_for_edge(self, false, true).await
    }

    async fn wait_for_any_edge(&mut self) -> Result<()> {
        wait_for_edge(self, true, true).await
    }
}

/// Delays of a millisecond and more let other tasks run.
impl DelayNs for Delay {
    async fn delay_ns(&mut self, ns: u32) {
        sleep(Duration::from_nanos(ns.into())).await;
    }

    async fn delay_us(&mut self, us: u32) {
        sleep(Duration::from_micros(us.into())).await;
    }

    async fn delay_ms(&mut self, ms: u32) {
        sleep(Duration::from_millis(ms.into())).await;
    }
}

impl i2c::I2c<SevenBitAddress> for I2c {
    async fn transaction(
        &mut self,
        address: SevenBitAddress,
        operations: &mut [i2c::Operation<'_>],
    ) -> Result<()> {
        blocking_i2c::I2c::transaction(self, address, operations)
    }

    async fn read(&mut self, address: SevenBitAddress, bytes: &mut [u8]) -> Result<()> {
        blocking_i2c::I2c::read(self, address, bytes)
    }

    async fn write(&mut self, address: SevenBitAddress, bytes: &[u8]) -> Result<()> {
        blocking_i2c::I2c::write(self, address, bytes)
    }

    async fn write_read(&mut self, address: SevenBitAddress, written: &[u8], read: &mut [u8]) -> Result<()> {
        blocking_i2c::I2c::write_read(self, address, written, read)
    }
}

impl spi::SpiBus for Spi {
    async fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        embedded_hal::spi::SpiBus::read(self, bytes)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        embedded_hal::spi::SpiBus::write(self, bytes)
    }

    async fn transfer(&mut self, read: &mut [u8], written: &[u8]) -> Result<()> {
        embedded_hal::spi::SpiBus::transfer(self, read, written)
    }

    async fn transfer_in_place(&mut self, bytes: &mut [u8]) -> Result<()> {
        embedded_hal::spi::SpiBus::transfer_in_place(self, bytes)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl spi::SpiDevice for SpiDevice {
    async fn transaction(&mut self, operations: &mut [spi::Operation<'_, u8>]) -> Result<()> {
        use spi::Operation::{DelayNs, Read, Transfer, TransferInPlace, Write};
        let (mut bus, selected) = self.select()?;
        let mut result = Ok(());
        for operation in operations {
            result = match operation {
                Read(bytes) => bus.read(bytes),
                Write(bytes) => bus.write(bytes),
                Transfer(read, written) => bus.transfer(read, written),
                TransferInPlace(bytes) => bus.transfer_in_place(bytes),
                DelayNs(ns) => {
                    sleep(Duration::from_nanos((*ns).into())).await;
                    Ok(())
                }
            };
            if result.is_err() {
                break;
            }
        }
        // Also after an exception, so that the next transaction is one of its own.
        result.and(selected.end())
    }
}
