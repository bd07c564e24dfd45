// Stores the files of a parcel, if there is one.
void parcel_unpack(const uint32_t *parcel);
