import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, get, rmdir

required_conan_version = ">=2.0.9"


class WinshmConan(ConanFile):
    name = "winshm"
    description = "One named block of memory shared by processes of any language"
    license = "MIT"
    url = "https://github.com/conan-io/conan-center-index"
    topics = ("shared-memory", "ipc", "interprocess")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False]}
    default_options = {"shared": False, "fPIC": True}
    implements = ["auto_shared_fpic"]
    languages = ["C"]

    def layout(self):
        cmake_layout(self, src_folder="src")

    def validate(self):
        if self.settings.os not in ("Linux", "Windows"):
            raise ConanInvalidConfiguration(f"{self.ref} runs on Linux and Windows only")

    def build_requirements(self):
        self.tool_requires("cmake/[>=3.22]")

    def source(self):
        get(self, **self.conan_data["sources"][self.version], strip_root=True)

    def generate(self):
        tc = CMakeToolchain(self)
        tc.cache_variables["BUILD_TESTING"] = False
        tc.cache_variables["WINSHM_SHARED"] = bool(self.options.shared)
        tc.cache_variables["WINSHM_STATIC"] = not self.options.shared
        tc.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        cmake = CMake(self)
        cmake.install()
        rmdir(self, os.path.join(self.package_folder, "lib", "cmake"))
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))

    def package_info(self):
        self.cpp_info.libs = ["winshm"]
        self.cpp_info.set_property("cmake_file_name", "winshm")
        self.cpp_info.set_property("cmake_target_name", "winshm::winshm")
        self.cpp_info.set_property("pkg_config_name", "winshm")
        if not self.options.shared:
            self.cpp_info.set_property("cmake_target_aliases", ["winshm::static"])
            if self.settings.os == "Windows":
                self.cpp_info.system_libs = ["advapi32"]
            else:
                self.cpp_info.system_libs = ["pthread"]
                # A plug-in that has the library inside must stay loaded.
                self.cpp_info.sharedlinkflags = ["-Wl,-z,nodelete"]
