// The bytes of heap that a parcel says, if there is one, of these at most.
size_t parcel_heap(const uint32_t *parcel, size_t most);
// Stores the files of a parcel, if there is one.
void parcel_unpack(const uint32_t *parcel);
