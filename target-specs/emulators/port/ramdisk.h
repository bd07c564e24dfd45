// Mounts the RAM disk at `/`, after making a filesystem on it when it has none.
void ramdisk_mount(void);
