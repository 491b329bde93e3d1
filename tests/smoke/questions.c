/* All questions, in the order in which they are asked, and all roles. */
#include "questions.h"

const struct question smoke_questions[] = {
    {"machine", NULL, ask_system},
    {"session", NULL, ask_session},
    {"shadow stack", NULL, ask_shadow_stack},
    {"Local\\ and Global\\", NULL, ask_name_spaces},
    {"names in small letters and capitals", "two regions", ask_letters},
    {"page gone, plain", "FAULT", ask_fault},
    {"page gone, strict shadow stack", "FAULT", ask_fault_strict},
    {"page gone, inside .NET", "FAULT", ask_fault_dotnet},
    {"presence probes", "5 5 2 6", ask_presence},
    {"owner killed", "OWNER_DEAD within 250 ms", ask_killed},
    {"owner crashed", "OWNER_DEAD within 30 s", ask_crashed},
    {"owner of another user", "OWNER_DEAD within 250 ms", ask_other_user},
    {"elevated creates, plain joins", "OK", ask_elevated_first},
    {"plain creates, elevated joins", "OK", ask_plain_first},
    {"plain creates in Global\\", "PRIVILEGE", ask_privilege},
    {"SYSTEM creates, user observes", "OK", ask_service_observed},
    {"SYSTEM creates with SDDL, user locks", "OK", ask_service_locked},
    {"wait of 1 ms", "never less, within two ticks more", ask_wait_1},
    {"wait of 10 ms", "never less, within two ticks more", ask_wait_10},
    {"static library in a DLL, unloaded", "exit code 0 within 5 s",
     ask_unloaded},
    {"exit with waiting threads", "exit code 0 within 1 s", ask_exit},
    {"close in a destructor at exit", "exit code 0 within 5 s", ask_destructor},
    {"torture", "nothing lost, nobody hangs", ask_torture},
    {NULL, NULL, NULL}};

const struct role smoke_roles[] = {
    {"touch", role_touch},       {"holds", role_holds},
    {"keeps", role_keeps},       {"joins", role_joins},
    {"creates", role_creates},   {"unloads", role_unloads},
    {"exits", role_exits},       {"destroys", role_destroys},
    {"tortures", role_tortures}, {NULL, NULL}};
