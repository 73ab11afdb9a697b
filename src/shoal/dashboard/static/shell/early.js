// Before anything is painted: the theme that was chosen, so that a dark page never flashes white.
{
  const chosen = localStorage.getItem("shoal.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
