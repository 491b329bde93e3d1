/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 the winshm authors
 *
 * winshm in C++, from C++11 on: a thin layer over winshm.h, which says in full what each
 * call does, when it fails and on which platform it differs. All of it is since 0.1.
 *
 *  - What fails throws winshm::error.
 *  - Objects can be moved and not copied. One that holds nothing, since it was moved from
 *    or closed, is false. Calls on it throw WINSHM_E_HANDLE, but at() WINSHM_E_UNSUPPORTED;
 *    size() is 0, and close() does nothing.
 *  - Threads may share an object for all but moving, closing and destroying it.
 *  - Time-outs are milliseconds. Locks and waits have none unless one is given.
 *  - get() and winshm::check() lead to whatever winshm.h has besides.
 */
#ifndef WINSHM_HPP
#define WINSHM_HPP

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include "winshm.h"

namespace winshm {

#if defined(__clang__) /* There is no source file to keep its table of functions in. */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wweak-vtables"
#endif
/** A call that failed. what() is winshm_last_message(): what happened, and the cure. */
class error : public std::runtime_error {
public:
    error(winshm_status why, const std::string &message, int32_t code = 0)
        : std::runtime_error(message), status(why), os_code(code) {}
    winshm_status status; /**< WINSHM_E_*, also one that this header does not know yet. */
    int32_t os_code;      /**< GetLastError() or errno of what failed; 0: no system call. */
};
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

/** Throw if a call of winshm.h has just failed on this thread. */
inline void check(winshm_status status) {
    if (status != WINSHM_OK)
        throw error(status, winshm_last_message(), winshm_last_os_code());
}

/** Get what lies at offset in a block of room bytes. A type is refused if it has virtual
 * functions, needs a destructor, or is a pointer; WINSHM_FIELD() refuses pointers inside.
 * @throws error WINSHM_E_UNSUPPORTED (nothing is mapped here), WINSHM_E_RANGE (it is not
 *               inside), WINSHM_E_INVALID (it would not be aligned) */
template <class T> T *place(void *block, uint64_t room, uint64_t offset) {
    static_assert(std::is_standard_layout<T>::value && !std::is_pointer<T>::value &&
                  std::is_trivially_destructible<T>::value, "other processes cannot use it");
    std::string where = "at(): the type's " + std::to_string(sizeof(T)) + " bytes at offset " +
                        std::to_string(offset);
    if (block == nullptr)
        throw error(WINSHM_E_UNSUPPORTED, where + " are not mapped. Open it, or use map().");
    if (room < sizeof(T) || offset > room - sizeof(T))
        throw error(WINSHM_E_RANGE, where + " are not inside " +
                                    std::to_string(room) + " bytes.");
    void *address = static_cast<unsigned char *>(block) + offset;
    if (reinterpret_cast<uintptr_t>(address) % alignof(T) != 0)
        throw error(WINSHM_E_INVALID, where + " need a multiple of " +
                                      std::to_string(alignof(T)) + ".");
    return static_cast<T *>(address);
}

/** A lock that is held until this object ends, which it must do before the region does, and
 * on the thread that has locked unless the region has WINSHM_TASK. */
class held {
public:
    held() = default;
    /** False: try_lock() did not get it, or it is released. */
    explicit operator bool() const noexcept { return lock_ != nullptr; }
    /** True: an owner died in its section, or nobody has filled the region yet; repair the
     * data, then call make_consistent(). Otherwise the next one to lock is told, too. */
    bool owner_died() const noexcept { return owner_died_; }
    void make_consistent() { check(winshm_make_consistent(lock_.get())); owner_died_ = false; }
    /** Release it before this object ends, and learn if that fails. */
    void unlock() {
        check(winshm_unlock(lock_.get(), lock_.get_deleter().mode));
        (void)lock_.release();
    }
private:
    friend class region;
    struct release {
        uint32_t mode;
        void operator()(winshm_region *own) const { (void)winshm_unlock(own, mode); }
    };
    held(winshm_region *own, uint32_t mode, bool owner_died) noexcept
        : lock_(own, release{mode}), owner_died_(owner_died) {}
    std::unique_ptr<winshm_region, release> lock_{nullptr, release{0}};
    bool owner_died_ = false;
};

/** A part of a region, mapped until this object ends, which may be after the region does.
 * place() gets what lies in winshm_view_data() and its winshm_view_size() bytes. */
struct unmap { void operator()(winshm_view *own) const { (void)winshm_unmap(own); } };
using view = std::unique_ptr<winshm_view, unmap>;

/** A participant, which leaves when this object ends. If a lock is held then, or a thread
 * is in a call, it stays until the process ends. */
class region {
public:
    explicit region(winshm_region *own = nullptr) noexcept : region_(own) {}
    explicit operator bool() const noexcept { return region_ != nullptr; }
    winshm_region *get() const noexcept { return region_.get(); }
    static region create(const char *name, uint64_t size, uint32_t flags = 0) {
        return by(winshm_create, name, size, flags);
    }
    static region open(const char *name, uint32_t flags = 0) { return by(winshm_open, name, flags); }
    static region open_or_create(const char *name, uint64_t size, uint32_t flags = 0) {
        return by(winshm_open_or_create, name, size, flags);
    }
    /** Make or join one by any call of winshm.h that has a region as its last parameter, as in
     * by(winshm_import, token, flags, timeout_ms). */
    template <class Call, class... Rest> static region by(Call call, Rest... rest) {
        winshm_region *own = nullptr;
        check(call(rest..., &own));
        return region(own);
    }
    /** Leave before this object ends, and learn if that fails. */
    void close() { check(winshm_close(get())); (void)region_.release(); }
    uint64_t size() const noexcept { return winshm_size(get()); }
    /** Get the address of what lies at offset, in the memory itself, which a const T leaves
     * as it is. @throws as place() */
    template <class T> T *at(uint64_t offset = 0) const {
        return place<T>(winshm_data(get()), size(), offset);
    }
    view map(uint64_t offset, uint64_t length, uint32_t flags = 0) const {
        winshm_view *own = nullptr;
        check(winshm_map(get(), offset, length, flags, &own));
        return view(own);
    }
    /** Copy a value out, never torn: winshm_read(). */
    template <class T> T read(uint64_t offset = 0, uint32_t timeout = WINSHM_FOREVER) const {
        static_assert(std::is_trivially_copyable<T>::value && !std::is_pointer<T>::value,
                      "other processes cannot use it");
        T value = T();
        check(winshm_read(get(), offset, &value, sizeof value, timeout));
        return value;
    }
    /** Copy a value in, and notify: winshm_write(). */
    template <class T>
    void write(const T &value, uint64_t offset = 0, uint32_t timeout = WINSHM_FOREVER) {
        static_assert(std::is_trivially_copyable<T>::value && !std::is_pointer<T>::value,
                      "other processes cannot use it");
        check(winshm_write(get(), offset, &value, sizeof value, timeout));
    }
    /** Lock. Where an owner has died in its section, lock() and try_lock() throw
     * WINSHM_E_OWNER_DEAD and hold nothing; after lock_for_repair() held::owner_died() tells.
     * What try_lock() gives is false when the time has run out. */
    WINSHM_MUST_CHECK held lock(uint32_t mode = WINSHM_EXCLUSIVE) {
        return take(mode, WINSHM_FOREVER, false);
    }
    WINSHM_MUST_CHECK held try_lock(uint32_t timeout = 0, uint32_t mode = WINSHM_EXCLUSIVE) {
        return take(mode, timeout, false);
    }
    WINSHM_MUST_CHECK held lock_for_repair() { return take(WINSHM_EXCLUSIVE, WINSHM_FOREVER, true); }
    /** Get the lock that WINSHM_CREATE_LOCKED has taken: once, on the same thread. A false
     * object: this handle has joined, and somebody else has filled the region. */
    WINSHM_MUST_CHECK held lock_to_fill() {
        bool made = info().origin != WINSHM_ORIGIN_OPENED;
        return made ? held(get(), WINSHM_EXCLUSIVE, true) : held();
    }
    std::string name() const {
        char text[WINSHM_NAME_MAX + sizeof "Global\\"];
        uint32_t length = 0;
        check(winshm_get_name(get(), text, sizeof text, &length));
        return text;
    }
    void notify() { check(winshm_notify(get())); }
    /** Wait for another count than seen, which is set to it. @return false: timed out */
    bool wait(uint32_t &seen, uint32_t timeout = WINSHM_FOREVER) const {
        winshm_status status = winshm_wait(get(), seen, timeout, &seen);
        check(status == WINSHM_E_TIMEOUT ? WINSHM_OK : status);
        return status == WINSHM_OK;
    }
    winshm_info info() const {
        winshm_info info = {};
        info.struct_size = sizeof info;
        check(winshm_get_info(get(), &info));
        return info;
    }
private:
    held take(uint32_t mode, uint32_t timeout, bool repair) {
        winshm_status status = winshm_lock(get(), mode, timeout);
        bool died = status == WINSHM_E_OWNER_DEAD && mode == WINSHM_EXCLUSIVE;
        held got(died || status == WINSHM_OK ? get() : nullptr, mode, died);
        if (status != WINSHM_E_TIMEOUT && !(died && repair))
            check(status);
        return got;
    }
    struct leave { void operator()(winshm_region *own) const { (void)winshm_close(own); } };
    std::unique_ptr<winshm_region, leave> region_;
};

} /* namespace winshm */
#endif
