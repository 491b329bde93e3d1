/* Each promise of winshm.hpp. The other processes are this program, started again. */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <winshm.hpp>

#ifdef _WIN32
#define popen _popen
#define pclose _pclose
#endif

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition))                                                      \
            fail(__LINE__, #condition);                                        \
    } while (false)
#define THROWS(code, word, call)                                               \
    do {                                                                       \
        winshm_status thrown = WINSHM_OK;                                      \
        try {                                                                  \
            call;                                                              \
        } catch (const winshm::error &error) {                                 \
            thrown = error.status;                                             \
            CHECK(std::strstr(error.what(), word) != nullptr);                 \
        }                                                                      \
        CHECK(thrown == (code));                                               \
    } while (false)

namespace {

using winshm::held;
using winshm::region;

static_assert(!std::is_copy_constructible<region>::value &&
                  !std::is_copy_constructible<held>::value &&
                  !std::is_copy_assignable<held>::value &&
                  !std::is_copy_constructible<winshm::view>::value &&
                  std::is_nothrow_move_constructible<region>::value &&
                  std::is_nothrow_move_assignable<held>::value,
              "they can be moved and not copied");

struct account {
    int64_t mine;
    int64_t yours;
};

[[noreturn]] void fail(int line, const char *what)
{
    std::cerr << "hpp.cpp:" << line << ": not true: " << what << std::endl;
    std::_Exit(1);
}

const char *program;

/* Another process, up to its end. */
std::string other(const char *role, const region &here)
{
    std::string command = std::string(program) + " " + role + " " + here.name();
    std::string said;
    std::FILE *pipe = popen(command.c_str(), "r");
    CHECK(pipe != nullptr);
    for (int c; (c = std::fgetc(pipe)) > 0;)
        if (c >= ' ')
            said += static_cast<char>(c);
    (void)pclose(pipe);
    return said;
}

int be_other(const std::string &role, const char *name)
{
    region there = region::open(name);
    if (role == "die") {
        held lock = there.lock();
        there.at<account>()->mine = 70;
        std::cout << "dying" << std::endl;
        std::abort();
    }
    if (role == "write")
        there.write(account{1, 2});
    if (role == "try")
        std::cout << (there.try_lock() ? "free" : "held");
    if (role == "share")
        std::cout << (there.try_lock(0, WINSHM_SHARED) ? "free" : "held");
    return 0;
}

void errors()
{
    THROWS(WINSHM_E_NOT_FOUND, "winshm_open", region::open("no such region of winshm.hpp"));
    THROWS(WINSHM_E_INVALID, "size", region::create(nullptr, 0));
    try {
        region::create("a/b", 1);
        CHECK(false);
    } catch (const std::exception &error) { /* as anybody would catch it */
        CHECK(std::strstr(error.what(), "winshm_create") != nullptr);
    }
}

void data()
{
    region all = region::create(nullptr, 100);
    CHECK(all && all.size() == 100 && all.info().participants == 1);
    all.at<account>(8)->yours = 5;
    CHECK(all.read<account>(8).yours == 5);
    all.write(account{6, 7}, 16);
    CHECK(all.at<const account>(16)->mine == 6);
    CHECK(all.at<unsigned char>(99) != nullptr);
    THROWS(WINSHM_E_RANGE, "offset 88", all.at<account>(88));
    THROWS(WINSHM_E_RANGE, "100 bytes", all.at<account>(UINT64_MAX));
    THROWS(WINSHM_E_RANGE, "101", (void)all.at<unsigned char[101]>());
    THROWS(WINSHM_E_INVALID, "multiple of 8", all.at<account>(4));
    THROWS(WINSHM_E_RANGE, "winshm_read", all.read<account>(88));
    THROWS(WINSHM_E_RANGE, "winshm_write", all.write(account{}, 88));

    region second = region::by(winshm_open, all.name().c_str(), WINSHM_READ | WINSHM_NO_MAP);
    THROWS(WINSHM_E_UNSUPPORTED, "map()", second.at<account>());
    THROWS(WINSHM_E_ACCESS, "winshm_write", second.write(account{}));
    winshm::view part = second.map(16, 16);
    second.close();
    CHECK(!second);
    CHECK(winshm::place<const account>(winshm_view_data(part.get()),
                                       winshm_view_size(part.get()), 0)->yours == 7);

    region moved = std::move(all);
    CHECK(moved && !all); /* NOLINT: what is left of it is a promise */
    CHECK(all.size() == 0);
    all.close();
    THROWS(WINSHM_E_HANDLE, "winshm_notify", all.notify());
    THROWS(WINSHM_E_UNSUPPORTED, "Open it", all.at<account>());
    std::string name = moved.name();
    moved = region();
    CHECK(region::open(name.c_str())); /* The part is mapped still. */
    part.reset();
    THROWS(WINSHM_E_NOT_FOUND, "winshm_open", region::open(name.c_str()));
}

void locks()
{
    region here = region::create(nullptr, sizeof(account));
    {
        held lock = here.lock();
        CHECK(lock && !lock.owner_died() && other("try", here) == "held");
        held moved = std::move(lock);
        CHECK(moved && !lock); /* NOLINT */
        CHECK(other("try", here) == "held");
        THROWS(WINSHM_E_DEADLOCK, "winshm_lock", held again = here.lock());
        THROWS(WINSHM_E_BUSY, "winshm_close", here.close());
        CHECK(here);
    }
    CHECK(other("try", here) == "free");
    {
        held lock = here.lock(WINSHM_SHARED);
        CHECK(other("share", here) == "free" && other("try", here) == "held");
        lock = held();
        CHECK(other("try", here) == "free");
    }
    try {
        held lock = here.lock();
        throw 1;
    } catch (int) {
    }
    held lock = here.try_lock();
    CHECK(lock);
    lock.unlock();
    CHECK(!lock && other("try", here) == "free");
    THROWS(WINSHM_E_HANDLE, "winshm_unlock", lock.unlock());
}

void deaths()
{
    region here = region::create(nullptr, sizeof(account));
    CHECK(other("die", here) == "dying");
    THROWS(WINSHM_E_OWNER_DEAD, "winshm_lock", held lock = here.lock());
    THROWS(WINSHM_E_OWNER_DEAD, "winshm_lock", held lock = here.try_lock());
    THROWS(WINSHM_E_OWNER_DEAD, "winshm_lock", held lock = here.lock(WINSHM_SHARED));
    {
        held lock = here.lock_for_repair();
        CHECK(lock.owner_died() && here.at<account>()->mine == 70);
    }
    {
        held lock = here.lock_for_repair();
        CHECK(lock.owner_died()); /* Nobody has said that the data are whole. */
        lock.make_consistent();
        CHECK(!lock.owner_died());
    }
    CHECK(!here.lock().owner_died());
    CHECK(!here.lock_for_repair().owner_died());
}

void filling()
{
    region first = region::create(nullptr, sizeof(account), WINSHM_CREATE_LOCKED);
    region second = region::open_or_create(first.name().c_str(), sizeof(account),
                                           WINSHM_CREATE_LOCKED);
    CHECK(!second.lock_to_fill());
    held lock = first.lock_to_fill();
    CHECK(lock.owner_died() && other("try", first) == "held");
    lock.make_consistent();
    lock.unlock();
    CHECK(other("try", first) == "free");
}

#ifdef REFUSED /* what another process cannot use: must not compile */
void refused(region &there, const char *text, const std::string &words)
{
    (void)text;
    (void)words;
    there.REFUSED;
}
#endif

void changes()
{
    region here = region::create(nullptr, sizeof(account));
    uint32_t seen = here.info().change_count, now = seen;
    CHECK(!here.wait(seen, 0) && seen == now);
    CHECK(other("write", here).empty());
    CHECK(here.wait(seen) && seen != now && here.read<account>().yours == 2);
    here.notify();
    CHECK(here.wait(seen, 0) && !here.wait(seen, 1));
}

} /* namespace */

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc == 3)
        return be_other(argv[1], argv[2]);
    errors();
    data();
    locks();
    deaths();
    filling();
    changes();
#ifdef REFUSED
    (void)refused;
#endif
    std::cout << "ok" << std::endl;
}
