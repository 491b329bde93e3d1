/* Whatever the header offers to each standard of C and C++, used without a
 * warning: programs.sh has the list. */
#include <winshm.h>

struct point {
    float x, y;
};

enum colour { RED, GREEN };

struct game {
    uint32_t score;
    uint8_t lives[16];
    char name[16];
    volatile int16_t speed;
    volatile int16_t speeds[4];
    long whole;
    double parts[2];
    enum colour colour;
    struct point place;
    struct point places[3];
};

#ifdef REFUSED /* What another process cannot use does not compile. */
struct refused {
    REFUSED;
};
#endif

#if defined(__cplusplus) || defined(WINSHM_FIELD)
static const winshm_field point[] = {
    WINSHM_FIELD(struct point, x),
    WINSHM_FIELD(struct point, y),
};
static const winshm_field game[] = {
    WINSHM_FIELD(struct game, score),
    WINSHM_FIELD(struct game, lives),
    WINSHM_FIELD(struct game, name),
    WINSHM_FIELD(struct game, speed),
    WINSHM_FIELD(struct game, speeds),
    WINSHM_FIELD(struct game, whole),
    WINSHM_FIELD(struct game, parts),
    WINSHM_FIELD(struct game, colour),
    WINSHM_NESTED(struct game, place, point),
    WINSHM_NESTED_ARRAY(struct game, places, point),
#ifdef REFUSED
    WINSHM_FIELD(struct refused, member),
#endif
};
#else
static const winshm_field game[1] = {
    {"score", 0, 0, 0, 0, 0, WINSHM_FIELD_U32}};
#endif

#ifdef __cplusplus
struct words {
    bool truth;
    char16_t text[4];
};
static const winshm_field words[] = {WINSHM_FIELD(struct words, truth),
                                     WINSHM_FIELD(struct words, text)};
static_assert(WINSHM_MEMBER_KIND(struct words, text) == WINSHM_FIELD_CHAR16 &&
                  WINSHM_MEMBER_COUNT(struct words, text) == 4 &&
                  WINSHM_MEMBER_COUNT(struct game, speeds) == 4,
              "members are told apart");
#else
static const winshm_field words[1] = {
    {"truth", 0, 0, 0, 0, 0, WINSHM_FIELD_BOOL}};
#endif

winshm_status format(char *text, uint32_t capacity, uint32_t *length);
winshm_status format(char *text, uint32_t capacity, uint32_t *length)
{
    winshm_status status =
        winshm_format_layout(words, 1, 16, text, capacity, length);
    return status != WINSHM_OK
               ? status
               : winshm_format_layout(game, sizeof game / sizeof game[0],
                                      sizeof(struct game), text, capacity,
                                      length);
}
