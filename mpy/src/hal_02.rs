//! The traits of `embedded-hal` 0.2, for drivers that were not moved to 1.0, over the same types as [`hal`](crate::hal).

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c as _;
use embedded_hal::spi::SpiBus;
use embedded_hal_02::blocking::delay::{DelayMs, DelayUs};
use embedded_hal_02::blocking::{i2c, spi};
use embedded_hal_02::digital::v2::{InputPin, OutputPin, StatefulOutputPin, ToggleableOutputPin};

use crate::hal::{Delay, I2c, Pin, Spi};
use crate::{Exception, Result};

impl i2c::Read for I2c {
    type Error = Exception;

    fn read(&mut self, address: u8, bytes: &mut [u8]) -> Result<()> {
        embedded_hal::i2c::I2c::read(self, address, bytes)
    }
}

impl i2c::Write for I2c {
    type Error = Exception;

    fn write(&mut self, address: u8, bytes: &[u8]) -> Result<()> {
        embedded_hal::i2c::I2c::write(self, address, bytes)
    }
}

impl i2c::WriteRead for I2c {
    type Error = Exception;

    fn write_read(&mut self, address: u8, written: &[u8], read: &mut [u8]) -> Result<()> {
        embedded_hal::i2c::I2c::write_read(self, address, written, read)
    }
}

impl i2c::Transactional for I2c {
    type Error = Exception;

    fn exec<'a>(&mut self, address: u8, operations: &mut [i2c::Operation<'a>]) -> Result<()> {
        let mut all: alloc::vec::Vec<_> = operations
            .iter_mut()
            .map(|operation| match operation {
                i2c::Operation::Read(bytes) => embedded_hal::i2c::Operation::Read(bytes),
                i2c::Operation::Write(bytes) => embedded_hal::i2c::Operation::Write(bytes),
            })
            .collect();
        self.transaction(address, &mut all)
    }
}

impl spi::Write<u8> for Spi {
    type Error = Exception;

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        SpiBus::write(self, bytes)
    }
}

impl spi::Transfer<u8> for Spi {
    type Error = Exception;

    fn transfer<'a>(&mut self, bytes: &'a mut [u8]) -> Result<&'a [u8]> {
        self.transfer_in_place(bytes)?;
        Ok(bytes)
    }
}

impl OutputPin for Pin {
    type Error = Exception;

    fn set_low(&mut self) -> Result<()> {
        embedded_hal::digital::OutputPin::set_low(self)
    }

    fn set_high(&mut self) -> Result<()> {
        embedded_hal::digital::OutputPin::set_high(self)
    }
}

impl InputPin for Pin {
    type Error = Exception;

    fn is_high(&self) -> Result<bool> {
        embedded_hal::digital::InputPin::is_high(&mut self.clone())
    }

    fn is_low(&self) -> Result<bool> {
        embedded_hal::digital::InputPin::is_low(&mut self.clone())
    }
}

impl StatefulOutputPin for Pin {
    fn is_set_high(&self) -> Result<bool> {
        InputPin::is_high(self)
    }

    fn is_set_low(&self) -> Result<bool> {
        InputPin::is_low(self)
    }
}

impl ToggleableOutputPin for Pin {
    type Error = Exception;

    fn toggle(&mut self) -> Result<()> {
        embedded_hal::digital::StatefulOutputPin::toggle(self)
    }
}

macro_rules! delays {
    ($($number:ty)*) => {$(
        impl DelayMs<$number> for Delay {
            fn delay_ms(&mut self, ms: $number) {
                DelayNs::delay_ms(self, ms.into());
            }
        }

        impl DelayUs<$number> for Delay {
            fn delay_us(&mut self, us: $number) {
                DelayNs::delay_us(self, us.into());
            }
        }
    )*};
}

delays!(u8 u16 u32);
