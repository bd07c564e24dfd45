/* What torture.c finds in an archive. */
int common_2[9];
extern int common_1;
int elsewhere_data[4] = {7, 8, 9, 10};
int weak_defined(void);
int weak_defined(void) { return 1; }
int elsewhere(int x);
int elsewhere(int x) { return x * 3 + common_1 + common_2[3]; }
