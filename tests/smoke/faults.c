/* A page that is gone, in hosts of several kinds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "questions.h"

static void judge(struct answer *answer, int status)
{
    if (status == SMOKE_LATE)
        smoke_see(answer, "no answer");
    else if (status == SMOKE_CANNOT)
        smoke_see(answer, "the page could not be taken away");
    else if (status >= -100 && status <= 0)
        smoke_see_status(answer, status);
    else
        smoke_see(answer, "ended with 0x%lX", (unsigned long)status);
    smoke_judge(answer, status == WINSHM_E_FAULT);
}

void ask_fault(struct answer *answer)
{
    judge(answer, smoke_touch());
}

/* Exit codes: the status without its sign, and whether the shadow stack was on.
 */
enum { ON = 100 };

int role_touch(const char *argument, uint32_t number)
{
    (void)argument;
    (void)number;
    int bits = smoke_shadow_stack();
    int status = smoke_touch();
    return (bits > 0 && (bits & 1) != 0 ? ON : 0) - status;
}

void ask_fault_strict(struct answer *answer)
{
    HANDLE child = smoke_start(answer, SMOKE_SHADOW_STACK, "touch", "-", 0);
    if (child == NULL)
        return;
    int code = smoke_end(child, SMOKE_PATIENCE_MS);
    bool told = code >= 0 && code < 2 * ON;
    judge(answer, told ? -(code % ON) : code);
    if (told && code < ON && code == -WINSHM_E_FAULT) {
        smoke_see(answer, ", but ");
        smoke_skip(answer, "this machine or system has no shadow stack to "
                           "switch on");
    }
}

/* .NET: the SDK runs a source file, which calls the DLL. */

static const char script[] =
    "#:property PublishAot=false\n" /* which would need the network */
    "using System.Runtime.InteropServices;\n"
    "Console.WriteLine($\"{RuntimeInformation.FrameworkDescription} \"\n"
    "    + $\"{RuntimeInformation.ProcessArchitecture} says \"\n"
    "    + Dll.smoke_touch());\n"
    "static class Dll\n"
    "{\n"
    "    [DllImport(@\"%s\", CallingConvention = CallingConvention.Cdecl)]\n"
    "    public static extern int smoke_touch();\n"
    "}\n";

enum { DOTNET_MS = 120000 };

static HANDLE open_output(const char *path)
{
    return CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                       NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
}

/** Runs dotnet with the arguments. @return its exit code; what it says is in
 * text. */
static int run_dotnet(struct answer *answer, const char *dotnet,
                      const char *arguments, const char *path, char *text,
                      size_t size)
{
    char line[3 * MAX_PATH];
    text[0] = '\0';
    HANDLE output = open_output(path);
    snprintf(line, sizeof line, "\"%s\" %s", dotnet, arguments);
    HANDLE process = smoke_start_program(answer, dotnet, line, output);
    int code = process != NULL ? smoke_end(process, DOTNET_MS) : SMOKE_LATE;
    if (output != INVALID_HANDLE_VALUE)
        CloseHandle(output);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        text[fread(text, 1, size - 1, file)] = '\0';
        fclose(file);
    }
    DeleteFileA(path);
    return code;
}

static void ask_script(struct answer *answer, const char *dotnet,
                       const char *output)
{
    char text[2000], source[MAX_PATH], arguments[MAX_PATH + 20];
    const char *dll = smoke_module(answer);
    if (dll == NULL)
        return;
    snprintf(source, sizeof source, "%s.cs", dll);
    FILE *file = fopen(source, "w");
    if (file != NULL) {
        fprintf(file, script, dll);
        fclose(file);
    }
    snprintf(arguments, sizeof arguments, "run \"%s\"", source);
    int code = run_dotnet(answer, dotnet, arguments, output, text, sizeof text);
    DeleteFileA(source);
    const char *says = strstr(text, " says ");
    const char *begins = says != NULL ? strstr(text, ".NET") : NULL;
    if (begins != NULL) {
        smoke_see(answer, "%.*s: ", (int)(says - begins), begins);
        judge(answer, atoi(says + 6));
    } else {
        smoke_see(answer, "ended with 0x%lX: %.200s", (unsigned long)code,
                  text);
        smoke_judge(answer, false);
    }
}

void ask_fault_dotnet(struct answer *answer)
{
    char dotnet[MAX_PATH], folder[MAX_PATH], output[MAX_PATH], text[2000];
    if (sizeof(void *) == 4) {
        smoke_skip(answer, "this program is a 32-bit one: its DLL cannot be "
                           "loaded by a 64-bit host");
        return;
    }
    if (SearchPathA(NULL, "dotnet.exe", NULL, sizeof dotnet, dotnet, NULL) ==
        0) {
        smoke_skip(answer, "there is no dotnet on PATH");
        return;
    }
    GetTempPathA(sizeof folder, folder);
    snprintf(output, sizeof output, "%swinshm-smoke-%lu.txt", folder,
             (unsigned long)GetCurrentProcessId());
    /* Neither a greeting, nor servers that stay. */
    SetEnvironmentVariableA("DOTNET_NOLOGO", "1");
    SetEnvironmentVariableA("MSBUILDDISABLENODEREUSE", "1");
    SetEnvironmentVariableA("UseSharedCompilation", "false");
    run_dotnet(answer, dotnet, "--version", output, text, sizeof text);
    if (atoi(text) < 10)
        smoke_skip(answer,
                   "dotnet is no SDK of .NET 10 or later, which runs a "
                   "source file: %.60s",
                   text);
    else
        ask_script(answer, dotnet, output);
}
