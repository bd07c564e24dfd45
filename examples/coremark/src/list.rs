//! A singly linked list: find, reverse, merge sort, remove and put back (`core_list_join.c`).

use core::mem::size_of;
use core::ptr::null_mut;

use crate::{Results, crc16, crcu16, matrix, state};

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Data {
    data16: i16,
    idx: i16,
}

#[repr(C)]
pub struct Head {
    next: *mut Head,
    info: *mut Data,
}

type Compare = fn(*mut Data, *mut Data, *mut Results) -> i32;

/// The 7-bit value of an item, computed by one of the other algorithms and cached in the item.
unsafe fn calc_func(pdata: *mut i16, r: *mut Results) -> i16 {
    unsafe {
        let data = *pdata;
        if (data >> 7) & 1 != 0 {
            return data & 0x007f;
        }
        let flag = data & 7;
        let mut dtype = (data >> 3) & 0xf;
        dtype |= dtype << 4;
        let mut retval = match flag {
            0 => {
                let dtype = dtype.max(0x22);
                let value =
                    state::bench(crate::SIZE, (*r).state, (*r).seed1, (*r).seed2, dtype, (*r).crc) as i16;
                if (*r).crcstate == 0 {
                    (*r).crcstate = value as u16;
                }
                value
            }
            1 => {
                let value = matrix::bench(&(*r).matrix, dtype, (*r).crc) as i16;
                if (*r).crcmatrix == 0 {
                    (*r).crcmatrix = value as u16;
                }
                value
            }
            _ => data,
        };
        (*r).crc = crcu16(retval as u16, (*r).crc);
        retval &= 0x007f;
        *pdata = (data & 0xff00u16 as i16) | 0x0080 | retval;
        retval
    }
}

fn cmp_complex(a: *mut Data, b: *mut Data, r: *mut Results) -> i32 {
    // SAFETY: items of the list.
    unsafe {
        let a = calc_func(&raw mut (*a).data16, r);
        let b = calc_func(&raw mut (*b).data16, r);
        i32::from(a) - i32::from(b)
    }
}

fn cmp_idx(a: *mut Data, b: *mut Data, r: *mut Results) -> i32 {
    // SAFETY: items of the list.
    unsafe {
        if r.is_null() {
            for item in [a, b] {
                let data = (*item).data16;
                (*item).data16 = (data & 0xff00u16 as i16) | (0x00ff & (data >> 8));
            }
        }
        i32::from((*a).idx) - i32::from((*b).idx)
    }
}

/// One pass over the list; it is in its original order afterwards.
pub fn bench(r: &mut Results, finder_idx: i16) -> u16 {
    // SAFETY: `init` made the list, all of its nodes lie in the block.
    unsafe {
        let mut retval = 0u16;
        let (mut found, mut missed) = (0u16, 0u16);
        let mut list = r.list;
        let mut info = Data { data16: 0, idx: finder_idx };
        for i in 0..r.seed3 {
            info.data16 = i & 0xff;
            let this = find(list, &info);
            list = reverse(list);
            if this.is_null() {
                missed += 1;
                retval = retval.wrapping_add((((*(*(*list).next).info).data16 >> 8) & 1) as u16);
            } else {
                found += 1;
                let data = (*(*this).info).data16;
                if data & 1 != 0 {
                    retval = retval.wrapping_add(((data >> 9) & 1) as u16);
                }
                if !(*this).next.is_null() {
                    let finder = (*this).next;
                    (*this).next = (*finder).next;
                    (*finder).next = (*list).next;
                    (*list).next = finder;
                }
            }
            if info.idx >= 0 {
                info.idx += 1;
            }
        }
        retval = retval.wrapping_add(found.wrapping_mul(4).wrapping_sub(missed));
        if finder_idx > 0 {
            list = mergesort(list, cmp_complex, r);
        }
        let removed = remove((*list).next);
        let mut finder = find(list, &info);
        if finder.is_null() {
            finder = (*list).next;
        }
        while !finder.is_null() {
            retval = crc16((*(*list).info).data16, retval);
            finder = (*finder).next;
        }
        undo_remove(removed, (*list).next);
        list = mergesort(list, cmp_idx, null_mut());
        finder = (*list).next;
        while !finder.is_null() {
            retval = crc16((*(*list).info).data16, retval);
            finder = (*finder).next;
        }
        retval
    }
}

/// Builds the list in `size` bytes at `block`.
pub unsafe fn init(size: usize, block: *mut u8, seed: i16) -> *mut Head {
    unsafe {
        // EEMBC's sizes count 16 bytes a node, so that 32- and 64-bit machines do the same work.
        let per_item = 16 + size_of::<Data>();
        let count = size / per_item - 2;
        let list = block as *mut Head;
        let heads_end = list.add(count);
        let data_end = (heads_end as *mut Data).add(count);
        (*list).next = null_mut();
        (*list).info = heads_end as *mut Data;
        *(*list).info = Data { idx: 0, data16: 0x8080u16 as i16 };
        let mut free = Free { head: list.add(1), data: (heads_end as *mut Data).add(1), heads_end, data_end };
        free.insert(list, Data { idx: 0x7fff, data16: -1 });
        for i in 0..count {
            let pattern = (seed as u16 ^ i as u16) & 0xf;
            let dat = (pattern << 3) | (i as u16 & 7);
            free.insert(list, Data { idx: 0, data16: ((dat << 8) | dat) as i16 });
        }
        let mut finder = (*list).next;
        let mut i = 1u16;
        while !(*finder).next.is_null() {
            if usize::from(i) < count / 5 {
                (*(*finder).info).idx = i as i16;
                i += 1;
            } else {
                let pat = i ^ seed as u16;
                i += 1;
                (*(*finder).info).idx = (0x3fff & (((i & 7) << 8) | pat)) as i16;
            }
            finder = (*finder).next;
        }
        mergesort(list, cmp_idx, null_mut())
    }
}

/// What is left of the block while the list is built.
struct Free {
    head: *mut Head,
    data: *mut Data,
    heads_end: *mut Head,
    data_end: *mut Data,
}

impl Free {
    unsafe fn insert(&mut self, after: *mut Head, data: Data) {
        unsafe {
            if self.head.add(1) >= self.heads_end || self.data.add(1) >= self.data_end {
                return;
            }
            let (head, info) = (self.head, self.data);
            self.head = self.head.add(1);
            self.data = self.data.add(1);
            (*head).next = (*after).next;
            (*after).next = head;
            (*head).info = info;
            *info = data;
        }
    }
}

/// Unlinks the item after `item`, which takes its data; the last item is a fake, so there is one.
unsafe fn remove(item: *mut Head) -> *mut Head {
    unsafe {
        let removed = (*item).next;
        core::mem::swap(&mut (*item).info, &mut (*removed).info);
        (*item).next = (*removed).next;
        (*removed).next = null_mut();
        removed
    }
}

unsafe fn undo_remove(removed: *mut Head, modified: *mut Head) {
    unsafe {
        core::mem::swap(&mut (*removed).info, &mut (*modified).info);
        (*removed).next = (*modified).next;
        (*modified).next = removed;
    }
}

unsafe fn find(mut list: *mut Head, info: &Data) -> *mut Head {
    unsafe {
        if info.idx >= 0 {
            while !list.is_null() && (*(*list).info).idx != info.idx {
                list = (*list).next;
            }
        } else {
            while !list.is_null() && (*(*list).info).data16 & 0xff != info.data16 {
                list = (*list).next;
            }
        }
        list
    }
}

unsafe fn reverse(mut list: *mut Head) -> *mut Head {
    unsafe {
        let mut next = null_mut();
        while !list.is_null() {
            let tmp = (*list).next;
            (*list).next = next;
            next = list;
            list = tmp;
        }
        next
    }
}

/// Merge sort in place and without recursion.
unsafe fn mergesort(mut list: *mut Head, cmp: Compare, r: *mut Results) -> *mut Head {
    unsafe {
        let mut insize = 1;
        loop {
            let mut p = list;
            list = null_mut();
            let mut tail: *mut Head = null_mut();
            let mut nmerges = 0;
            while !p.is_null() {
                nmerges += 1;
                let mut q = p;
                let mut psize = 0;
                for _ in 0..insize {
                    psize += 1;
                    q = (*q).next;
                    if q.is_null() {
                        break;
                    }
                }
                let mut qsize = insize;
                while psize > 0 || (qsize > 0 && !q.is_null()) {
                    let from_p =
                        psize != 0 && (qsize == 0 || q.is_null() || cmp((*p).info, (*q).info, r) <= 0);
                    let e;
                    if from_p {
                        e = p;
                        p = (*p).next;
                        psize -= 1;
                    } else {
                        e = q;
                        q = (*q).next;
                        qsize -= 1;
                    }
                    if tail.is_null() {
                        list = e;
                    } else {
                        (*tail).next = e;
                    }
                    tail = e;
                }
                p = q;
            }
            (*tail).next = null_mut();
            if nmerges <= 1 {
                return list;
            }
            insize *= 2;
        }
    }
}
