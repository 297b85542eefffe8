/* Runs a fuzz target over every file of its corpus: what a fuzzer once found stays found. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *folder, const char *name)
{
        static uint8_t data[1 << 20]; /* corpora hold small files */
        char path[4096];

        snprintf(path, sizeof path, "%s/%s", folder, name);
        FILE *file = fopen(path, "rb");
        if (file == NULL) {
                perror(path);
                return EXIT_FAILURE;
        }
        size_t size = fread(data, 1, sizeof data, file);
        fclose(file);
        LLVMFuzzerTestOneInput(data, size);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
        DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
        int count = 0, status = EXIT_SUCCESS;

        if (dir == NULL) {
                fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
                return EXIT_FAILURE;
        }
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
                if (entry->d_name[0] == '.')
                        continue;
                if (replay(argv[1], entry->d_name) != EXIT_SUCCESS)
                        status = EXIT_FAILURE;
                count++;
        }
        closedir(dir);
        printf("%d inputs replayed\n", count);
        return count > 0 ? status : EXIT_FAILURE;
}
