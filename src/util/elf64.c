/* SPDX-License-Identifier: Apache-2.0 */
#include "util/elf64.h"

/* libelf takes it for granted that headers have the size it knows. */
static bool usable(struct elf64 *f)
{
	const GElf_Ehdr *h = &f->header;

	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF || !gelf_getehdr(f->elf, &f->header))
		return false;
	return h->e_ident[EI_CLASS] == ELFCLASS64 && h->e_ident[EI_DATA] == ELFDATA2LSB &&
	       (!h->e_shnum || h->e_shentsize == sizeof(Elf64_Shdr)) &&
	       (!h->e_phnum || h->e_phentsize == sizeof(Elf64_Phdr));
}

bool elf64_open(struct elf64 *f, int fd)
{
	elf_version(EV_CURRENT); /* libelf wants to be asked first */
	*f = (struct elf64){.elf = elf_begin(fd, ELF_C_READ, NULL)};
	return usable(f);
}

bool elf64_open_memory(struct elf64 *f, void *data, size_t size)
{
	elf_version(EV_CURRENT);
	*f = (struct elf64){.elf = elf_memory(data, size)};
	return usable(f);
}

void elf64_close(struct elf64 *f)
{
	elf_end(f->elf);
	f->elf = NULL;
}
