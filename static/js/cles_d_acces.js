// Joins the button of a page to the passkey forms of allauth (mfa/js/webauthn.js), which expects an inline script for
// it: the content policy allows none. The ids are the same on every page; data-cle names the form.
document.addEventListener("DOMContentLoaded", () => {
  const bouton = document.getElementById("bouton-cle");
  if (!bouton) return;
  allauth.webauthn.forms[bouton.dataset.cle]({
    ids: {
      add: "bouton-cle",
      login: "bouton-cle",
      authenticate: "bouton-cle",
      credential: "id_credential",
      passwordless: "id_passwordless",
      data: "js_data",
    },
  });
});

// Refused by the device, or by the person: said on the page, where the next step is chosen.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.getElementById("cle-refusee").hidden = false;
});
